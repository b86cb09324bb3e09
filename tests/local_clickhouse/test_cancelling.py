"""A query ends when its client does not want it any more; what a client is told while it runs."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from clickhouse_driver import Client
from clickhouse_driver.protocol import ServerPacketTypes

from tests.local_clickhouse.asking import ask
from tests.local_clickhouse.process import ServerProcess
from tests.local_clickhouse.test_queries import begin

ENDLESS = {
    "reads": "SELECT count() FROM system.numbers",
    "sleeps": "SELECT sleepEachRow(0.5) FROM system.numbers SETTINGS max_block_size = 2",
    "inserts": "INSERT INTO FUNCTION null('number UInt64') SELECT number FROM system.numbers",
    "sends": "SELECT number FROM system.numbers",
}


def running(client: Client, sql: str) -> int:
    """How many queries that begin so run now."""
    found = client.execute(
        "SELECT count() FROM system.processes WHERE startsWith(query, %(sql)s)",
        {"sql": sql.partition(" SETTINGS")[0]},
    )
    return int(found[0][0])


def becomes(check: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether it is so before long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("sql", ENDLESS.values(), ids=ENDLESS)
def test_a_native_client_that_goes(server: ServerProcess, client: Client, sql: str) -> None:
    leaving = server.client()
    begin(leaving, sql)
    assert becomes(lambda: running(client, sql) == 1)
    leaving.disconnect()
    assert becomes(lambda: running(client, sql) == 0)


@pytest.mark.parametrize("sql", ENDLESS.values(), ids=ENDLESS)
def test_a_native_client_that_cancels(server: ServerProcess, client: Client, sql: str) -> None:
    cancelling = server.client()
    connection = begin(cancelling, sql)
    assert becomes(lambda: running(client, sql) == 1)
    connection.send_cancel()
    while (packet := connection.receive_packet()).type != ServerPacketTypes.END_OF_STREAM:
        assert packet.type in (ServerPacketTypes.DATA, ServerPacketTypes.PROGRESS)
    assert running(client, sql) == 0
    assert cancelling.execute("SELECT 1") == [(1,)]
    cancelling.disconnect()


@pytest.mark.parametrize("output", ["TabSeparated", "Native"])
@pytest.mark.parametrize("sql", ENDLESS.values(), ids=ENDLESS)
def test_an_http_client_that_goes(
    server: ServerProcess, client: Client, sql: str, output: str
) -> None:
    leaving = http.client.HTTPConnection("127.0.0.1", server.http_port)
    leaving.request("POST", f"/?default_format={output}&client_protocol_version=54405", sql)
    assert becomes(lambda: running(client, sql) == 1)
    leaving.close()
    assert becomes(lambda: running(client, sql) == 0)


def test_the_next_query_of_a_connection_is_left_alone(server: ServerProcess) -> None:
    """A late kill must not hit what comes after."""
    client = server.client()
    for _ in range(10):
        connection = begin(client, ENDLESS["reads"])
        connection.send_cancel()
        while connection.receive_packet().type != ServerPacketTypes.END_OF_STREAM:
            pass
        assert client.execute("SELECT count() FROM numbers(1000000)") == [(1_000_000,)]
    client.disconnect()


def test_an_insert_is_carried_to_its_end_although_its_client_goes(
    server: ServerProcess, client: Client
) -> None:
    client.execute("CREATE TABLE late (id UInt64) ENGINE = MergeTree ORDER BY id")
    database = client.execute("SELECT currentDatabase()")[0][0]
    rows = b"".join(b"%d\n" % n for n in range(2_000_000))
    head = f"POST /?database={database}&query={quote('INSERT INTO late FORMAT TSV')} HTTP/1.1\r\n"
    head += f"Host: localhost\r\nContent-Length: {len(rows)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.http_port)) as sender:
        sender.sendall(head.encode() + rows)
    assert becomes(lambda: client.execute("SELECT count() FROM late") == [(2_000_000,)])


def test_progress_is_told_while_a_query_runs(client: Client) -> None:
    progress = client.execute_with_progress(
        "SELECT sum(sleepEachRow(0.2)), count() FROM numbers(5)",
        settings={"max_block_size": 1, "max_threads": 1},
    )
    told = list(progress)
    assert len(told) >= 3
    assert told == sorted(told)
    assert told[-1][0] == 5
    assert all(total == 5 for _, total in told[:-1])
    assert progress.get_result() == [(0, 5)]
    client.execute("CREATE TABLE told (id UInt64) ENGINE = MergeTree ORDER BY id")
    client.execute("INSERT INTO told SELECT number FROM numbers(1000)")
    assert client.last_query.progress.written_rows == 1000


def test_a_slow_reader_holds_the_engine_and_not_the_memory(
    server: ServerProcess, client: Client
) -> None:
    with socket.create_connection(("127.0.0.1", server.http_port)) as slow:
        slow.sendall(
            b"GET /?query=SELECT+*,+randomString(100)+FROM+system.numbers HTTP/1.1\r\n"
            b"Host: localhost\r\n\r\n"
        )
        time.sleep(1.5)  # all buffers are full
        before = server.memory_mb()
        time.sleep(1.5)  # at full speed these are gigabytes
        assert sum(len(slow.recv(1 << 16)) for _ in range(50))
        assert server.memory_mb() - before < 50
    assert becomes(lambda: running(client, "SELECT *, randomString") == 0)


def test_two_requests_in_one_session(server: ServerProcess, client: Client) -> None:
    sql = "SELECT sleep(1) SETTINGS max_threads = 1"
    first = threading.Thread(target=ask, args=(server, sql), kwargs={"session_id": "both"})
    first.start()
    assert becomes(lambda: running(client, sql) == 1)
    second = ask(server, "SELECT 1", session_id="both")
    assert second.headers["X-ClickHouse-Exception-Code"] == "373"
    first.join()
    assert ask(server, "SELECT 1", session_id="both").body == b"1\n"
