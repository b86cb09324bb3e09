"""The server as a process: rows that survive, places that are taken, a clean end."""

from __future__ import annotations

import http.client
import signal
import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from sinks.local_clickhouse import LocalClickHouse, LocalClickHouseError, PortTakenError
from tests.local_clickhouse.asking import Answer, ask
from tests.local_clickhouse.process import ServerProcess

TABLE = "CREATE TABLE t (id UInt64) ENGINE = MergeTree ORDER BY id"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_rows_survive_the_end_of_the_process(tmp_path: Path, number: signal.Signals) -> None:
    server = ServerProcess(tmp_path / "new" / "data")
    client = server.client()
    client.execute(TABLE)
    acknowledged = 0
    for first in range(0, 500, 50):
        client.execute("INSERT INTO t VALUES", [(n,) for n in range(first, first + 50)])
        acknowledged += 50
    status, errors = server.finish(number)
    assert status == (0 if number != signal.SIGKILL else -signal.SIGKILL), errors

    assert (tmp_path / "new" / "data").stat().st_mode & 0o777 == 0o700, "it holds customers' data"
    again = ServerProcess(tmp_path / "new" / "data")
    found = again.client().execute("SELECT count(), sum(id) FROM t")
    assert found == [(acknowledged, sum(range(acknowledged)))]
    assert again.finish() == (0, "")


def test_rows_acknowledged_before_a_kill_in_the_middle_of_inserts(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    client = server.client()
    client.execute(TABLE)
    acknowledged: list[int] = []

    def insert() -> None:
        with suppress(EOFError, OSError):  # the server goes
            for first in range(0, 10_000_000, 100):
                client.execute("INSERT INTO t VALUES", [(n,) for n in range(first, first + 100)])
                acknowledged.append(first)

    thread = threading.Thread(target=insert)
    thread.start()
    thread.join(0.7)
    server.finish(signal.SIGKILL)
    thread.join(20)

    again = ServerProcess(tmp_path)
    stored = {row[0] for row in again.client().execute("SELECT id FROM t")}
    again.finish()
    assert acknowledged
    assert stored >= {n for first in acknowledged for n in range(first, first + 100)}
    # At most the one insert in flight is there besides, and whole.
    assert len(stored) - 100 * len(acknowledged) in (0, 100)


def test_rows_acknowledged_over_http_survive_a_kill_in_the_middle_of_inserts(
    tmp_path: Path,
) -> None:
    server = ServerProcess(tmp_path)
    assert ask(server, TABLE).status == 200
    acknowledged: list[int] = []

    def insert() -> None:
        with suppress(OSError, http.client.HTTPException):  # the server goes
            for first in range(0, 10_000_000, 100):
                rows = "\n".join(map(str, range(first, first + 100)))
                assert ask(server, rows, query="INSERT INTO t FORMAT TSV").status == 200
                acknowledged.append(first)

    thread = threading.Thread(target=insert)
    thread.start()
    thread.join(1.0)
    server.finish(signal.SIGKILL)
    thread.join(20)

    again = ServerProcess(tmp_path)
    stored = set(map(int, ask(again, "SELECT id FROM t").text.split()))
    again.finish()
    assert acknowledged
    assert stored >= {n for first in acknowledged for n in range(first, first + 100)}
    assert len(stored) - 100 * len(acknowledged) in (0, 100)


@pytest.mark.parametrize("wait_end_of_query", [0, 1])
def test_a_stop_ends_a_running_request(tmp_path: Path, wait_end_of_query: int) -> None:
    server = ServerProcess(tmp_path)
    sql = "SELECT number FROM system.numbers"
    ended: list[object] = []

    def request() -> None:
        try:
            ended.append(ask(server, sql, wait_end_of_query=wait_end_of_query))
        except (OSError, http.client.HTTPException) as error:
            ended.append(error)

    thread = threading.Thread(target=request)
    thread.start()
    thread.join(0.7)
    status, errors = server.finish(signal.SIGINT)
    assert (status, errors) == (0, "")
    thread.join(10)
    assert len(ended) == 1
    assert not isinstance(ended[0], Answer) or ended[0].is_cut


def test_an_insert_that_outlasts_a_stop_is_carried_to_its_end(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    slow = "slow UInt8 MATERIALIZED sleepEachRow(0.1)"
    table = f"CREATE TABLE t (id UInt64, {slow}) ENGINE = MergeTree ORDER BY id"
    assert ask(server, table, session_id="mine").status == 200
    query = {"query": "INSERT INTO t FORMAT TSV", "session_id": "mine"}
    patient = {"function_sleep_max_microseconds_per_block": 60_000_000}
    rows = "".join(f"{n}\n" for n in range(70))

    def insert() -> None:
        with suppress(OSError, http.client.HTTPException):  # the server goes
            ask(server, rows, **query, **patient)

    thread = threading.Thread(target=insert)
    thread.start()
    thread.join(0.7)
    status, errors = server.finish()
    thread.join(10)
    assert (status, "Traceback" in errors) == (0, False), errors
    assert "a query does not end: the stop waits for it" in errors

    again = ServerProcess(tmp_path)
    assert ask(again, "SELECT count() FROM t").body == b"70\n"
    assert again.finish() == (0, "")


def test_a_stop_ends_a_running_query(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    client = server.client()
    ended: list[BaseException] = []

    def ask() -> None:
        try:
            client.execute("SELECT count() FROM system.numbers")
        except (EOFError, OSError) as error:
            ended.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(0.3)
    status, errors = server.finish(signal.SIGINT)
    assert (status, errors) == (0, "")
    thread.join(10)
    assert len(ended) == 1


def test_a_taken_directory_is_one_clear_line(tmp_path: Path) -> None:
    first = ServerProcess(tmp_path)
    status, errors = ServerProcess(tmp_path).outcome()
    assert (status, errors.count("\n")) == (1, 1)
    assert errors.startswith("DirectoryTakenError: ")
    assert f"process {first.pid}" in errors
    assert f"kill {first.pid}" in errors
    assert first.client().execute("SELECT 1") == [(1,)]
    first.finish()


def test_places_that_cannot_be_used(tmp_path: Path) -> None:
    """All found before the engine starts, which would be this process's only one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError) as caught:
            LocalClickHouse(tmp_path / "a", port=port).start()
        assert str(caught.value) == (
            f"cannot listen on 127.0.0.1:{port} for the native protocol (Address already in use): "
            "stop what uses the port, or choose another (--port; 0 takes a free one)"
        )
        with pytest.raises(PortTakenError, match=f"{port} for HTTP .*--http-port"):
            LocalClickHouse(tmp_path / "a", http_port=port).start()
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalClickHouseError, match="choose another one"):
        LocalClickHouse(tmp_path / "file").start()
    for host in ("0.0.0.0", "192.0.2.1", "example.org"):
        with pytest.raises(LocalClickHouseError, match="loopback only"):
            LocalClickHouse(tmp_path / "b", host).start()
