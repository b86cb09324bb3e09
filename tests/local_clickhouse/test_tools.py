"""Other people's programs, on the local ClickHouse as on a server."""

from __future__ import annotations

import datetime
import decimal
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client as ConnectClient
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError
from clickhouse_driver import Client

from tests.local_clickhouse.process import ServerProcess
from tests.local_clickhouse.test_cancelling import ENDLESS, becomes, running

TABLE = "CREATE TABLE t (id UInt64, name String, at DateTime('Asia/Tokyo')) ENGINE = MergeTree ORDER BY id"  # noqa: E501


def run(*command: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """A program's run to its end."""
    return subprocess.run(command, input=given, capture_output=True, timeout=60, check=False)


@pytest.fixture
def database(client: Client) -> str:
    """A new database with an empty table `t`."""
    client.execute(TABLE)
    return str(client.execute("SELECT currentDatabase()")[0][0])


# curl


@pytest.fixture
def curl(server: ServerProcess, database: str) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """curl with more arguments, on the database."""

    def call(
        *arguments: str, given: bytes = b"", parameters: str = ""
    ) -> subprocess.CompletedProcess[bytes]:
        url = f"{server.url}/?database={database}{parameters}"
        return run("curl", "-sS", "--max-time", "30", url, *arguments, given=given)

    return call


@pytest.mark.tool("curl")
def test_curl_inserts_and_selects(curl: Callable[..., Any]) -> None:
    insert = "&query=INSERT%20INTO%20t%20FORMAT%20CSV"
    rows = b"".join(b"%d,name %d,2026-01-01 00:00:00\n" % (n, n) for n in range(200_000))
    sent = curl("--data-binary", "@-", given=rows, parameters=insert)  # with Expect: 100-continue
    assert (sent.returncode, sent.stdout, sent.stderr) == (0, b"", b"")
    one = b"999999,x,2026-01-01 00:00:00\n"
    chunked = curl("-T", "-", "-X", "POST", given=one, parameters=insert)
    assert (chunked.returncode, chunked.stdout) == (0, b"")
    assert curl("--data", "SELECT count(), max(id) FROM t").stdout == b"200001\t999999\n"
    for encoded in (["--compressed"], []):
        found = curl("--data", "SELECT id FROM t ORDER BY id LIMIT 100000", *encoded)
        assert found.stdout == b"".join(b"%d\n" % n for n in range(100_000))


@pytest.mark.tool("curl")
def test_curl_is_told_of_errors(curl: Callable[..., Any], server: ServerProcess) -> None:
    failed = curl("--fail-with-body", "--data", "SELECT nothing")
    assert (failed.returncode, b"UNKNOWN_IDENTIFIER" in failed.stdout) == (22, True)
    cut = curl("--data", "SELECT throwIf(number = 3000000) FROM numbers(4000000)")
    assert (cut.returncode, b"__exception__" in cut.stdout[-2000:]) == (18, True)
    assert run("curl", "-sS", f"{server.url}/ping").stdout == b"Ok.\n"


# clickhouse-client


@pytest.fixture
def shell(server: ServerProcess, database: str) -> list[str]:
    """clickhouse-client on the database."""
    return ["clickhouse-client", "--port", str(server.port), "--database", database]


@pytest.mark.tool("clickhouse-client")
def test_clickhouse_client_statements(shell: list[str]) -> None:
    def query(sql: str, *options: str, given: bytes = b"") -> bytes:
        done = run(*shell, *options, "--query", sql, given=given)
        assert (done.returncode, done.stderr) == (0, b""), done.stderr
        return done.stdout

    assert query("SELECT 1, 'x'") == b"1\tx\n"
    query("CREATE TABLE d (id UInt8) ENGINE = MergeTree ORDER BY id")
    assert query("SHOW TABLES") == b"d\nt\n"
    query("INSERT INTO d VALUES (1), (2)")
    query("INSERT INTO d FORMAT CSV", given=b"3\n4\n")
    query("INSERT INTO d SELECT id + 4 FROM d")
    assert query("SELECT id FROM d ORDER BY id FORMAT CSV") == b"1\n2\n3\n4\n5\n6\n7\n8\n"
    rows = b"".join(b"%d\tname\t2026-01-02 03:04:05\n" % n for n in range(100_000))
    query("INSERT INTO t FORMAT TabSeparated", given=rows)
    found = query("SELECT count(), sum(id), min(at) FROM t", "--max_threads", "1")
    assert found == b"100000\t4999950000\t2026-01-02 03:04:05\n"
    query("ALTER TABLE d ADD COLUMN more UInt8 DEFAULT id + 1")
    assert query("SELECT max(more) FROM d") == b"9\n"
    query("DROP TABLE d")


@pytest.mark.tool("clickhouse-client")
def test_clickhouse_client_with_several_queries_and_compression(shell: list[str]) -> None:
    script = b"SELECT 1; SELECT 2; SELECT count() FROM numbers(1000000)"
    for compression in ("0", "1"):
        done = run(*shell, "--multiquery", "--compression", compression, given=script)
        assert (done.stdout, done.stderr) == (b"1\n2\n1000000\n", b"")


@pytest.mark.tool("clickhouse-client")
def test_clickhouse_client_is_told_of_errors(shell: list[str]) -> None:
    for sql, text in [
        ("SELECT nothing", b"Code: 47. DB::Exception"),
        ("SELECT throwIf(number = 9) FROM numbers(10)", b"Code: 395. DB::Exception"),
        ("INSERT INTO nowhere VALUES (1)", b"Code: 60. DB::Exception"),
    ]:
        done = run(*shell, "--query", sql)
        assert (done.returncode == 0, text in done.stderr) == (False, True), done.stderr
    wrong = run(*shell, "--password", "guess", "--query", "SELECT 1")
    assert b"Authentication failed" in wrong.stderr


@pytest.mark.tool("clickhouse-client")
def test_clickhouse_client_brings_external_tables(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "rows").write_text("1\n2\n")
    external = ["--external", f"--file={tmp_path}/rows", "--name=given", "--structure=id UInt8"]
    done = run(*shell, "--query", "SELECT * FROM given", *external)
    assert b"takes no external tables" in done.stderr


@pytest.mark.tool("clickhouse-client")
def test_clickhouse_client_shows_progress(shell: list[str]) -> None:
    sql = "SELECT sum(sleepEachRow(0.2)) FROM numbers(8)"
    done = run(*shell, "--progress", "--max_block_size", "1", "--query", sql)
    assert done.stdout == b"0\n"
    assert done.stderr.count(b"Progress: ") >= 2, done.stderr


@pytest.mark.tool("clickhouse-client")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_clickhouse_client_stops_its_query(
    shell: list[str], client: Client, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [*shell, "--query", ENDLESS["reads"]], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert becomes(lambda: running(client, ENDLESS["reads"]) == 1)
    time.sleep(0.2)
    process.send_signal(number)
    assert becomes(lambda: running(client, ENDLESS["reads"]) == 0)
    process.communicate(timeout=60)


# clickhouse-connect


@pytest.fixture
def connected(server: ServerProcess, database: str) -> Iterator[ConnectClient]:
    """A clickhouse-connect client on the database."""
    made = clickhouse_connect.get_client(host="127.0.0.1", port=server.http_port, database=database)
    yield made
    made.close()


COLUMNS = {
    "id UInt64": [1, 2, 2**63],
    "name LowCardinality(Nullable(String))": ["张伟", None, "x" * 300],
    "amount Decimal(18, 2)": list(map(decimal.Decimal, ("1.50", "-2.25", "0.00"))),
    "day Date": [datetime.date(2026, 1, day) for day in (1, 2, 3)],
    "tags Array(String)": [[], ["a"], ["b", "c"]],
    "texts Map(String, String)": [{"en": "x"}, {}, {"zh": "好"}],
}  # fmt: skip


@pytest.mark.parametrize("compress", [False, "lz4", "gzip", "zstd"])
def test_clickhouse_connect_inserts_and_selects(
    server: ServerProcess, database: str, compress: Any
) -> None:
    made = clickhouse_connect.get_client(
        host="127.0.0.1", port=server.http_port, database=database, compress=compress
    )
    made.command(f"CREATE TABLE c ({', '.join(COLUMNS)}) ENGINE = MergeTree ORDER BY id")
    rows = list(map(list, zip(*COLUMNS.values(), strict=True)))
    summary = made.insert("c", rows)
    assert summary.written_rows == 3
    found = made.query("SELECT * FROM c ORDER BY id")
    assert [list(row) for row in found.result_rows] == rows
    assert found.column_names == tuple(column.split()[0] for column in COLUMNS)
    made.command("DROP TABLE c")
    made.close()


def test_clickhouse_connect_times_keep_their_zone(connected: ConnectClient) -> None:
    connected.command("INSERT INTO t VALUES (1, 'a', '2026-01-02 03:04:05')")
    at = connected.query("SELECT at FROM t").first_row[0]
    assert at.isoformat() == "2026-01-02T03:04:05+09:00"
    assert connected.query("SELECT at FROM t WHERE id = 2").result_rows == []


def test_clickhouse_connect_parameters_streams_and_frames(connected: ConnectClient) -> None:
    sql = "SELECT {n:UInt64} + number AS n, {text:String} AS text FROM numbers(200000)"
    total = 0
    with connected.query_row_block_stream(sql, {"n": 1, "text": "it's"}) as blocks:
        for block in blocks:
            total += len(block)
            assert {row[1] for row in block} == {"it's"}
    assert total == 200_000
    frame = connected.query_df("SELECT number, toString(number) AS s FROM numbers(3)")
    assert frame["s"].tolist() == ["0", "1", "2"]
    assert connected.raw_query("SELECT 1 AS a", fmt="JSONEachRow") == b'{"a":1}\n'


def test_clickhouse_connect_has_a_session(connected: ConnectClient) -> None:
    connected.command("CREATE TEMPORARY TABLE mine (id UInt8)")
    connected.insert("mine", [[1]])
    assert connected.query("SELECT * FROM mine", settings={"max_threads": 1}).result_rows == [(1,)]


def test_clickhouse_connect_is_told_of_errors(
    connected: ConnectClient, server: ServerProcess
) -> None:
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
        connected.query("SELECT * FROM nowhere")
    at_once = {"max_threads": 1, "wait_end_of_query": 0}
    late = "SELECT throwIf(number = 3000000) FROM numbers(4000000)"
    with pytest.raises((StreamFailureError, DatabaseError), match="395"):
        _ = connected.query(late, settings=at_once).result_set
    with pytest.raises(DatabaseError, match="516"):
        clickhouse_connect.get_client(host="127.0.0.1", port=server.http_port, password="guess")


# a password


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with the password `open-sesame`."""
    process = ServerProcess(tmp_path_factory.mktemp("locked"), password="open-sesame")
    yield process
    process.finish()


@pytest.mark.tool("curl", "clickhouse-client")
def test_a_password(locked: ServerProcess) -> None:
    assert Client("127.0.0.1", locked.port, password="open-sesame").execute("SELECT 1") == [(1,)]
    native = ["clickhouse-client", "--port", str(locked.port), "--query", "SELECT 1"]
    assert run(*native, "--password", "open-sesame").stdout == b"1\n"
    assert b"Authentication failed" in run(*native).stderr
    asked = ["curl", "-sS", f"{locked.url}/?query=SELECT+1"]
    assert b"Authentication failed" in run(*asked).stdout
    for given in (
        ["--user", "default:open-sesame"],
        ["-H", "X-ClickHouse-User: default", "-H", "X-ClickHouse-Key: open-sesame"],
    ):
        assert run(*asked, *given).stdout == b"1\n"
    assert run(*asked[:-1], f"{asked[-1]}&user=default&password=open-sesame").stdout == b"1\n"
    made = clickhouse_connect.get_client(
        host="127.0.0.1", port=locked.http_port, username="default", password="open-sesame"
    )
    assert made.command("SELECT 1") == 1
    made.close()
