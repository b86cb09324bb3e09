"""The sink's one loop. The order is what keeps it from losing anything:

1. Take a batch from Kafka: so many messages, or what came in so long.
2. Insert its rows, table by table. While ClickHouse is away: wait longer and longer, take nothing,
   stay in the group, and try the same rows again.
3. Commit the offsets.

A kill between 2 and 3, or a failed insert that had come half through, makes rows come twice; the
tables know a row by its place in Kafka, and the views show it once.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import NamedTuple

import structlog

from schemas import metrics as names
from sinks.clickhouse.backoff import delays
from sinks.clickhouse.batch import make_batch
from sinks.clickhouse.message import Message, Row
from sinks.clickhouse.points import FailPoint, no_fail_point
from sinks.clickhouse.source import Place, Source
from sinks.clickhouse.tables import Table
from sinks.clickhouse.writer import AwayError, Writer
from sinks.metrics import Metrics

_SAY_EVERY_S = 30.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How large and how old a batch may become, and the longest pause between tries."""

    rows: int
    seconds: float
    backoff_max_s: float


class Progress(NamedTuple):
    """Where a sink stands at a moment."""

    turns: int
    """Batches asked for, and inserts tried."""
    stored: int
    """Batches stored."""
    checked: bool
    """ClickHouse has been seen to have the tables."""
    away: bool
    """The last try to reach ClickHouse failed."""
    joined: bool
    """The group has given it its partitions, or none."""
    assigned: frozenset[Place]
    reached: Mapping[Place, int]
    """Place → up to where it was taken."""


class Sink:
    """Moves batches from a source to a writer until it is told to stop."""

    def __init__(
        self,
        source: Source,
        writer: Writer,
        metrics: Metrics,
        pace: Pace,
        fail_point: FailPoint = no_fail_point,
    ) -> None:
        self._source = source
        self._writer = writer
        self._metrics = metrics
        self._pace = pace
        self._fail_point = fail_point
        self._stop = Event()
        self._turns = self._stored = 0
        self._checked = self._away = False
        self.topics = source.topics

    def stop(self) -> None:
        """From a signal handler: the batch at hand is stored, then `run` returns."""
        self._stop.set()

    def run(self) -> None:
        """Returns after `stop`. Raises nothing that waiting could mend."""
        self._metrics.set(names.SINK_WAITING, 0)
        try:
            if self._persist(self._writer.check):
                self._checked = True
                _log.info("sink_ready")
            while not self._stop.is_set():
                self._turns += 1
                messages = self._source.take(self._pace.rows, self._pace.seconds)
                if messages:
                    self._store(messages)
        finally:
            self._source.close()
            self._writer.close()

    def progress(self) -> Progress:
        """For the watchdog; may be called from any thread."""
        source = self._source
        return Progress(
            turns=self._turns,
            stored=self._stored,
            checked=self._checked,
            away=self._away,
            joined=source.joined,
            assigned=source.assigned,
            reached=source.reached,
        )

    def _store(self, messages: Sequence[Message]) -> None:
        self._fail_point("sink-taken")
        batch = make_batch(messages)
        for table, rows in batch.rows.items():
            if not self._persist(partial(self._insert, table, rows)):
                return  # stopping while ClickHouse is away: Kafka still has what is not committed
            self._fail_point("sink-inserted")
        self._stored += 1
        for (topic, why), count in batch.skipped.items():
            self._metrics.count(names.SINK_SKIPPED, count, topic, why)
        self._metrics.observe(names.SINK_BATCH_MESSAGES, len(messages))
        self._fail_point("sink-before-commit")
        committed = self._source.commit()
        self._fail_point("sink-committed")
        for place, offset in committed.items():
            labels = (place[0], str(place[1]))
            self._metrics.set(names.SINK_POSITION, offset, *labels)
            lag = self._source.lag(place, offset)
            if lag is not None:
                self._metrics.set(names.SINK_LAG, lag, *labels)

    def _insert(self, table: Table, rows: Sequence[Row]) -> None:
        began = time.monotonic()
        self._writer.insert(table, rows)
        self._metrics.observe(names.SINK_INSERT_SECONDS, time.monotonic() - began, table.name)
        self._metrics.count(names.SINK_ROWS, len(rows), table.name)

    def _persist(self, action: Callable[[], None]) -> bool:
        """Try until it is done; False if told to stop before."""
        said = away_since = 0.0
        for delay in delays(self._pace.backoff_max_s):
            self._turns += 1
            try:
                action()
            except AwayError as problem:
                self._away = True
                now = time.monotonic()
                away_since = away_since or now
                self._metrics.count(names.SINK_FAILURES)
                self._metrics.set(names.SINK_WAITING, 1)
                if not said or now - said >= _SAY_EVERY_S:
                    said = now
                    _log.warning("clickhouse_away", problem=str(problem), retrying="yes")
            else:
                self._away = False
                if away_since:
                    self._metrics.set(names.SINK_WAITING, 0)
                    _log.info("clickhouse_back", after_s=round(time.monotonic() - away_since, 1))
                return True
            self._source.idle(delay, self._stop)
            if self._stop.is_set():
                return False
        raise AssertionError("the delays never end")
