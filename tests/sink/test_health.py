"""What a sink's watch says of it on a broker and a ClickHouse; time is told, not waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agents.cli.sink import consumer_config
from schemas.metrics import SINK
from sinks.clickhouse.address import Address
from sinks.clickhouse.letters import Letters
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.rows import Rows
from sinks.clickhouse.sink import Pace, Sink
from sinks.clickhouse.source import Source
from sinks.clickhouse.tables import TABLE_OF, Table
from sinks.clickhouse.watch import SinkWatch
from sinks.clickhouse.writer import Writer
from sinks.metrics import Metrics
from tests.sink.running import QUICK, Feed, value, wait_until
from tests.sink.server import Server

pytestmark = pytest.mark.broker
STALLED_AFTER_S = 30.0


class HeldWriter(Writer):
    """Inserts only while it is not held."""

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self.free = threading.Event()

    def insert(self, table: Table, rows: Rows, name: str | None = None) -> None:
        self.free.wait()
        super().insert(table, rows, name)


@contextmanager
def watched(feed: Feed, writer: Writer, address: Address) -> Iterator[tuple[SinkWatch, Metrics]]:
    metrics = Metrics(SINK)
    source = Source({**consumer_config(feed.settings), **QUICK}, list(TABLE_OF))
    letters = Letters({"bootstrap.servers": feed.bootstrap})
    pace = Pace(rows=50, seconds=0.1, backoff_max_s=0.2)
    sink = Sink(source, writer, letters, metrics, pace)
    thread = threading.Thread(target=sink.run)
    thread.start()
    kafka = {"bootstrap.servers": feed.bootstrap}
    try:
        yield SinkWatch(sink, address, kafka, metrics, STALLED_AFTER_S), metrics
    finally:
        sink.stop()
        thread.join(20)


def _caught_up(watch: SinkWatch) -> bool:
    told = watch.look(1.0)
    return told.ready and told.detail["stuck_s"] == 0


def test_clickhouse_away_is_not_ready_and_alive(fresh_broker: str, tmp_path: Path) -> None:
    server, feed = Server(tmp_path), Feed(fresh_broker)
    address = Address(host="127.0.0.1", port=server.port, database="health")
    migrate(address)
    with watched(feed, Writer(address), address) as (watch, _):
        feed.send_events(60)
        wait_until(lambda: _caught_up(watch), "a start, and the end of all topics")
        for _ in range(5):  # idle for long, and asked for the ends of its topics every time
            time.sleep(0.5)
            told = watch.look(STALLED_AFTER_S)
            assert told.ready, told
        server.kill()
        feed.send_events(60)
        wait_until(lambda: watch.look(0.1).state == "clickhouse_away", "an absence")
        for _ in range(3):
            time.sleep(0.5)
            told = watch.look(STALLED_AFTER_S)
            assert (told.state, told.alive, told.ready) == ("clickhouse_away", True, False)
        server = Server(tmp_path, port=address.port)
        wait_until(lambda: watch.look(0.1).ready, "a return")
    server.stop()


def test_a_sink_that_stores_nothing_although_all_answer_is_stalled(
    fresh_broker: str, address: Address
) -> None:
    feed, writer = Feed(fresh_broker), HeldWriter(address)
    with watched(feed, writer, address) as (watch, metrics):
        wait_until(lambda: watch.look(0.1).ready, "a start")
        feed.send_events(60)
        wait_until(lambda: not watch.look(1.0).alive, "a stall")
        assert value(metrics, "vipcare_sink_stalled") == 1
        writer.free.set()
        wait_until(lambda: watch.look(0.1).ready, "its end")
        assert value(metrics, "vipcare_sink_stalled") == 0
