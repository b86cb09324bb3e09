"""What clickhouse-driver does against a server, done here."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from clickhouse_driver import Client
from clickhouse_driver.block import RowOrientedBlock
from clickhouse_driver.connection import Connection
from clickhouse_driver.errors import ServerException
from clickhouse_driver.protocol import ServerPacketTypes

from tests.local_clickhouse.process import ServerProcess

TABLE = "CREATE TABLE t (id UInt64, name String, doubled UInt64 MATERIALIZED id * 2)"
ORDERED = f"{TABLE} ENGINE = MergeTree ORDER BY id"


def begin(client: Client, sql: str) -> Connection:
    """Sends a query as the driver does, and leaves the answer to the test: no reconnecting."""
    if not client.connection.connected:
        client.execute("SELECT 1")
    client.connection.send_query(sql)
    client.connection.send_external_tables([])
    return client.connection


def error_of(client: Client, sql: str, *arguments: Any, **options: Any) -> ServerException:
    """The error that a statement must give."""
    with pytest.raises(ServerException) as caught:
        client.execute(sql, *arguments, **options)
    return caught.value


@pytest.mark.parametrize(
    ("sql", "code", "part"),
    [
        ("SELECT * FROM nowhere", 60, "UNKNOWN_TABLE"),
        ("SELECT nothing", 47, "UNKNOWN_IDENTIFIER"),
        ("SELECT FROM WHERE", 62, "SYNTAX_ERROR"),
        ("", 62, "Empty query"),
        ("SELECT 1; SELECT 2", 62, "Multi-statements"),
        ("SELECT throwIf(number = 9000) FROM numbers(10000)", 395, "non-zero"),
        ("SELECT toUInt8('x')", 6, "CANNOT_PARSE_TEXT"),
        ("CREATE DATABASE system", 82, "already exists"),
        ("INSERT INTO nowhere VALUES", 60, "UNKNOWN_TABLE"),
        ("SELECT count() FROM numbers(3) GROUP BY number WITH TOTALS", 48, "WITH ROLLUP"),
        ("SELECT 1 INTO OUTFILE 'x'", 48, "clickhouse-client"),
        ("SYSTEM SHUTDOWN", 48, "Ctrl-C"),
        ("/* x */ system -- y\n kill;", 48, "Ctrl-C"),
        ("INSERT INTO t FROM INFILE 'x' FORMAT CSV", 48, "file()"),
        ("USE nowhere", 81, "nowhere"),
    ],
)
@pytest.mark.parametrize("compression", [False, True])
def test_errors_have_their_code_and_leave_the_connection_usable(
    server: ServerProcess, sql: str, code: int, part: str, compression: bool
) -> None:
    client = server.client(compression=compression)
    connection = begin(client, sql)
    while (packet := connection.receive_packet()).exception is None:
        assert packet.type in (ServerPacketTypes.DATA, ServerPacketTypes.PROGRESS)
    assert packet.exception.code == code
    assert part in packet.exception.message
    assert packet.exception.message.count("DB::Exception") == 1
    assert connection.ping()
    begin(client, "SELECT 1")
    assert connection.receive_packet().block.columns_with_types == [("1", "UInt8")]
    client.disconnect()


def test_empty_results_have_names_and_types(client: Client) -> None:
    client.execute(ORDERED)
    assert client.execute("SELECT * FROM t", with_column_types=True) == (
        [],
        [("id", "UInt64"), ("name", "String")],
    )
    zoned = "SELECT toDateTime(0, 'Asia/Shanghai') AS at, tuple(1, 'a') AS pair WHERE 0 -- no rows"
    assert client.execute(zoned, with_column_types=True)[1] == [
        ("at", "DateTime('Asia/Shanghai')"),
        ("pair", "Tuple(UInt8, String)"),
    ]
    assert client.execute("SHOW TABLES LIKE 'x'", with_column_types=True) == (
        [],
        [("name", "String")],
    )


def test_statements_that_do_not_stream(client: Client) -> None:
    client.execute(ORDERED)
    client.execute("INSERT INTO t (id, name) VALUES (1, 'a;b'), (2, 'c')")
    client.execute("INSERT INTO t SELECT number, 'n' FROM numbers(3, 2)")
    client.execute("ALTER TABLE t ADD COLUMN extra UInt8 DEFAULT 7")
    client.execute("OPTIMIZE TABLE t FINAL")
    assert client.execute("SELECT id, extra, doubled FROM t ORDER BY id LIMIT 2 FORMAT JSON") == [
        (1, 7, 2),
        (2, 7, 4),
    ]
    assert client.execute("SHOW TABLES") == [("t",)]
    assert client.execute("EXISTS t") == [(1,)]
    assert [row[:2] for row in client.execute("DESCRIBE t")][:2] == [
        ("id", "UInt64"),
        ("name", "String"),
    ]
    assert "MergeTree" in client.execute("SHOW CREATE TABLE t")[0][0]
    assert client.execute("EXPLAIN SELECT 1")


def test_an_insert_of_many_blocks(client: Client) -> None:
    client.execute(ORDERED)
    rows = [(n, f"name {n}") for n in range(10_000)]
    settings = {"insert_block_size": 700}
    assert client.execute("INSERT INTO t (id, name) VALUES", rows, settings=settings) == len(rows)
    assert client.last_query.progress.written_rows == len(rows)
    assert client.execute("SELECT * FROM t ORDER BY id") == rows


def test_a_result_of_many_blocks(client: Client) -> None:
    total = 0
    for number, _ in client.execute_iter(
        "SELECT number, toDateTime(number, 'Asia/Tokyo') FROM numbers(30000)",
        settings={"max_block_size": 1000},
    ):
        total += number
    assert total == sum(range(30_000))


def test_columnar_inserts_and_column_lists(client: Client) -> None:
    client.execute(ORDERED)
    client.execute("INSERT INTO t (`name`, id) VALUES", [["a", "b"], [1, 2]], columnar=True)
    client.execute("INSERT INTO t (id) SETTINGS max_threads = 1 VALUES", [(3,)])
    client.execute("INSERT INTO TABLE t FORMAT Native", [(4, "d")])
    assert client.execute("SELECT id, name, doubled FROM t ORDER BY id") == [
        (1, "a", 2),
        (2, "b", 4),
        (3, "", 6),
        (4, "d", 8),
    ]
    assert error_of(client, "INSERT INTO t (id, other) VALUES", [(1, 2)]).code == 16


def test_a_refused_block_and_then_a_good_one_on_one_connection(server: ServerProcess) -> None:
    """The engine refuses the rows of the first insert, the client has sent all of it."""
    client = server.client(settings={"insert_block_size": 2})
    client.execute(
        "CREATE TEMPORARY TABLE t (id UInt64, CONSTRAINT small CHECK id < 10) ENGINE = Memory"
    )
    connection = begin(client, "INSERT INTO t VALUES")
    sample = connection.receive_packet().block
    client.send_data(sample, [(1,), (2,), (3,), (40,), (5,), (6,)])
    error = connection.receive_packet().exception
    assert (error.code, "/proc" in error.message, "INFILE" in error.message) == (469, False, False)
    client.execute("INSERT INTO t VALUES", [(7,), (8,), (9,)])
    assert client.execute("SELECT id FROM t ORDER BY id") == [(7,), (8,), (9,)]
    client.disconnect()


def test_a_block_with_other_columns_is_refused(client: Client) -> None:
    """The engine would fill in defaults for what is missing."""
    client.execute(ORDERED)
    connection = begin(client, "INSERT INTO t VALUES")
    sample = connection.receive_packet().block
    sample.columns_with_types = [("id", "UInt64"), ("other", "String")]
    client.send_data(sample, [(1, "a")])
    assert connection.receive_packet().exception.code == 16
    assert client.execute("SELECT count() FROM t") == [(0,)]


def test_a_client_that_goes_in_the_middle_of_an_insert_leaves_nothing(
    connect: Callable[..., Client],
) -> None:
    client = connect()
    client.execute(ORDERED)
    connection = begin(client, "INSERT INTO t VALUES")
    sample = connection.receive_packet().block
    connection.send_data(RowOrientedBlock(sample.columns_with_types, [(1, "a")]))
    client.disconnect()
    assert connect().execute("SELECT count() FROM t") == [(0,)]


def test_settings_last_for_one_query_and_set_for_the_connection(client: Client) -> None:
    ask = "SELECT getSetting('max_threads'), getSetting('log_comment')"
    default = client.execute(ask)[0]
    client.execute("SET log_comment = 'mine'")
    settings = {"max_threads": 3, "log_comment": "it's \\ a 'note'", "no_such_setting": 1}
    assert client.execute(ask, settings=settings) == [(3, settings["log_comment"])]
    assert client.execute(ask) == [(default[0], "mine")]
    client.execute("SET log_comment = 'later'", settings=settings)
    assert client.execute(ask) == [(default[0], "later")]
    assert error_of(client, "SELECT 1", settings={"readonly": 1}).code == 48
    assert error_of(client, "SELECT 1", settings={"extremes": 1}).code == 48


def test_settings_of_which_one_is_bad_leave_nothing_behind(client: Client) -> None:
    ask = "SELECT toString(getSetting('log_comment'))"
    client.execute(ask)
    client.connection.context.settings = {"log_comment": "leaked", "max_threads": "many"}
    assert begin(client, ask).receive_packet().exception is not None
    client.connection.context.settings = {}
    begin(client, ask)
    assert list(client.receive_result()) == [("",)]


def test_an_unknown_important_setting_is_an_error(connect: Callable[..., Client]) -> None:
    client = connect(settings_is_important=True)
    assert error_of(client, "SELECT 1", settings={"no_such_setting": 1}).code == 115


def test_a_block_inserted_twice_with_one_token_counts_once(client: Client) -> None:
    window = "SETTINGS non_replicated_deduplication_window = 100"
    client.execute(f"CREATE TABLE d (id UInt64) ENGINE = MergeTree ORDER BY id {window}")
    for token in ("a", "a", "b"):
        token_setting = {"insert_deduplication_token": token}
        client.execute("INSERT INTO d VALUES", [(1,)], settings=token_setting)
    assert client.execute("SELECT count() FROM d") == [(2,)]


def test_an_asynchronous_insert_is_there_when_it_is_acknowledged(client: Client) -> None:
    client.execute(ORDERED)
    client.execute("INSERT INTO t VALUES", [(1, "a")], settings={"async_insert": 1})
    assert client.execute("SELECT * FROM t") == [(1, "a")]


def test_temporary_tables_belong_to_a_connection(connect: Callable[..., Client]) -> None:
    one, other = connect(), connect()
    one.execute("CREATE TEMPORARY TABLE mine (id UInt8)")
    one.execute("INSERT INTO mine VALUES", [(1,)])
    assert one.execute("SELECT * FROM mine") == [(1,)]
    assert error_of(other, "SELECT * FROM mine").code == 60


def test_external_tables_are_refused(client: Client) -> None:
    table = {"name": "given", "structure": [("id", "UInt64")], "data": [{"id": 1}]}
    error = error_of(client, "SELECT * FROM given", external_tables=[table])
    assert (error.code, "temporary table" in str(error)) == (48, True)
    assert client.execute("SELECT 1") == [(1,)]


def test_many_clients_at_once(connect: Callable[..., Client]) -> None:
    connect().execute(ORDERED)
    failures: list[BaseException] = []

    def work(client: Client, worker: int) -> None:
        try:
            for turn in range(10):
                first = (worker * 10 + turn) * 100
                client.execute(
                    "INSERT INTO t VALUES", [(n, str(n)) for n in range(first, first + 100)]
                )
                found = client.execute(f"SELECT count() FROM t WHERE intDiv(id, 1000) = {worker}")
                assert found == [((turn + 1) * 100,)]
        except BaseException as error:
            failures.append(error)

    clients = [connect(compression=worker % 2 == 1) for worker in range(6)]
    threads = [threading.Thread(target=work, args=pair) for pair in zip(clients, range(6))]  # noqa: B905  as many as clients
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    assert connect().execute("SELECT count(), uniqExact(id) FROM t") == [(6000, 6000)]


def test_a_client_may_cancel_between_blocks(client: Client) -> None:
    rows: Iterator[tuple[int, ...]] = client.execute_iter(
        "SELECT number FROM system.numbers", settings={"max_block_size": 1000}
    )
    assert next(iter(rows)) == (0,)
    client.cancel()
    assert client.execute("SELECT 1") == [(1,)]


def test_who_may_come_in(server: ServerProcess) -> None:
    assert error_of(server.client(user="someone"), "SELECT 1").code == 516
    assert error_of(server.client(password="guess"), "SELECT 1").code == 516
    assert error_of(server.client(database="nowhere"), "SELECT 1").code == 81
    assert error_of(server.client(client_revision=54404), "SELECT 1").code == 48


def test_more_clients_than_it_serves_are_turned_away(server: ServerProcess) -> None:
    crowd = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(101)]
    try:
        assert error_of(server.client(), "SELECT 1").code == 202
    finally:
        for one in crowd:
            one.close()
    assert _comes_in_again(server)


def _comes_in_again(server: ServerProcess) -> bool:
    for _ in range(100):
        with suppress(ServerException):
            return bool(server.client().execute("SELECT 1") == [(1,)])
        time.sleep(0.05)
    return False
