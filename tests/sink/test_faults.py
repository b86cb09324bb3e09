"""ClickHouse fails in every way that the sink must outlive; each time all rows are there once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from sinks.clickhouse.address import Address, client_of
from sinks.clickhouse.errors import AwayError, of_insert
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.render import count_rows
from tests.sink.running import PARTITIONS, Feed, count_of, running, total, value, wait_until
from tests.sink.server import Server

pytestmark = pytest.mark.broker
FAILURES = "vipcare_sink_failures_total"
PENDING = "vipcare_sink_pending_batches"


@pytest.fixture
def feed(fresh_broker: str) -> Feed:
    return Feed(fresh_broker)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own; skipped where it may not be mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small file system can be mounted by root alone")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def test_a_clickhouse_that_accepts_and_never_answers(feed: Feed, tmp_path: Path) -> None:
    """It is stopped, as by a hung disk: the sink takes a few batches, then nothing, and stays."""
    server = Server(tmp_path)
    address = Address(host="127.0.0.1", port=server.port, database="stalled")
    migrate(address)
    with running(feed, address, rows=50) as metrics, client_of(address) as client:
        feed.send_events(100)
        wait_until(lambda: count_of(client, "events") == 100, "events before")
        os.kill(server.pid, signal.SIGSTOP)
        try:
            feed.send_events(600)
            wait_until(lambda: value(metrics, PENDING) == 2, "a full queue")
            time.sleep(6)  # longer than a member that does not poll may stay
            assert value(metrics, PENDING) == 2
        finally:
            os.kill(server.pid, signal.SIGCONT)
        wait_until(lambda: count_of(client, "events") == 700, "events after")
        wait_until(lambda: value(metrics, PENDING) == 0, "an empty queue")
        assert count_of(client, "events_unique") == 700
    server.stop()


def test_a_stop_does_not_wait_for_a_silent_clickhouse(feed: Feed, tmp_path: Path) -> None:
    server = Server(tmp_path)
    address = Address(host="127.0.0.1", port=server.port, database="silent")
    migrate(address)
    feed.send_events(300)
    environment = {
        **os.environ,
        "VIPCARE_TOPICS__PARTITIONS": str(PARTITIONS),
        "VIPCARE_KAFKA__BOOTSTRAP": feed.bootstrap,
        "VIPCARE_KAFKA__TRANSACTIONS": "false",
        "VIPCARE_CLICKHOUSE__PORT": str(address.port),
        "VIPCARE_CLICKHOUSE__DATABASE": address.database,
        "VIPCARE_SINK__BATCH_ROWS": "20",
    }
    command = [sys.executable, "-m", "agents.cli.main", "sink"]
    with client_of(address) as client:
        process = subprocess.Popen(command, env=environment)
        try:
            wait_until(lambda: count_of(client, "events") > 0, "a first batch")
            os.kill(server.pid, signal.SIGSTOP)
            time.sleep(1)
            process.terminate()
            assert process.wait(25) == 0
        finally:
            process.kill()
            os.kill(server.pid, signal.SIGCONT)
        with running(feed, address):
            wait_until(lambda: count_of(client, "events") == 300, "all events")
    server.stop()


def test_a_full_disk_is_no_fault_of_the_rows(feed: Feed, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 96) as disk:
        server = Server(disk)
        address = Address(host="127.0.0.1", port=server.port, database="full")
        migrate(address)
        try:
            with running(feed, address, rows=200) as metrics, client_of(address) as client:
                feed.send_events(100)
                wait_until(lambda: count_of(client, "events") == 100, "events before")
                filler = _fill(disk)
                feed.send_events(400)
                wait_until(lambda: total(metrics, FAILURES) >= 3, "three tries")
                assert value(metrics, "vipcare_sink_waiting") == 1
                filler.unlink()
                wait_until(lambda: count_of(client, "events") == 500, "events after")
                wait_until(lambda: value(metrics, "vipcare_sink_waiting") == 0, "its end")
                counts = count_rows(client)
        finally:
            server.kill()
    assert total(metrics, "vipcare_sink_refused_total") == 0
    assert (counts["events"], counts["events_unique"], counts["dead_letters"]) == (500, 500, 0)


def _fill(disk: Path) -> Path:
    """A file that leaves no byte."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for piece in (1 << 20, 4_096, 1):
            try:
                while True:
                    file.write(b"x" * piece)
            except OSError:
                continue
    return filler


def test_a_limit_of_the_server_is_no_fault_of_the_rows(
    feed: Feed, address: Address, client: Client
) -> None:
    """Too many parts: an error of the real engine that tells of its state, not of values."""
    client.execute(
        "ALTER TABLE events_raw MODIFY SETTING parts_to_throw_insert = 1, "
        "parts_to_delay_insert = 1, max_delay_to_insert = 1"
    )
    client.execute("SYSTEM STOP MERGES events_raw")
    try:
        feed.send_events(50)
        with running(feed, address, rows=10) as metrics:
            wait_until(lambda: value(metrics, FAILURES, why="parts") >= 2, "two tries")
            assert value(metrics, "vipcare_sink_waiting") == 1
            client.execute("ALTER TABLE events_raw MODIFY SETTING parts_to_throw_insert = 3000")
            wait_until(lambda: count_of(client, "events") == 50, "all events")
        assert total(metrics, "vipcare_sink_refused_total") == 0
    finally:
        client.execute("SYSTEM START MERGES events_raw")
        for name in ("parts_to_throw_insert", "parts_to_delay_insert", "max_delay_to_insert"):
            client.execute(f"ALTER TABLE events_raw RESET SETTING {name}")


def test_the_error_of_a_full_disk_is_known() -> None:
    """As ClickHouse tells it; a code that is about values would bury good rows."""
    for code in (243, 75, 1001):
        meaning = of_insert(ServerException("no", code))
        assert isinstance(meaning, AwayError)
