"""The sink's loop on its first thread; storing.py has the second. The order is what keeps it from
losing anything:

1. Take a batch from Kafka, so many messages or bytes, or what came in so long, and decode it. While
   two batches wait to be stored: take nothing, and stay in the group.
2. The second thread stores it: every row is in ClickHouse or a dead letter.
3. Commit the offsets of batches that are stored, in the order in which they were taken.

A kill before 3, or a failed insert that had come half through, makes rows come twice; the tables
know a row by its place in Kafka, and the views show it once. So do rows of partitions that went to
another sink while they were under way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event
from typing import NamedTuple

from schemas import metrics as names
from sinks.clickhouse.batch import make_batch
from sinks.clickhouse.letters import Letters
from sinks.clickhouse.messages import Place
from sinks.clickhouse.points import FailPoint, no_fail_point
from sinks.clickhouse.source import Source
from sinks.clickhouse.storing import Storing
from sinks.clickhouse.tables import Table
from sinks.clickhouse.writer import Writer
from sinks.metrics import Metrics

_PATIENCE_S = 0.5
"""How long it waits for room before it tells Kafka to send nothing: what was fetched is dropped."""
_FINISH_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How large and how old a batch may become, the longest pause between tries, and how many more
    rows than land may be refused."""

    rows: int
    seconds: float
    backoff_max_s: float
    megabytes: int = 16
    refused_limit: int = 100


class Progress(NamedTuple):
    """Where a sink stands at a moment."""

    turns: int
    """How often the loop turned."""
    stored: int
    """Batches stored."""
    pending: int
    """Batches taken and not stored."""
    checked: bool
    """ClickHouse has been seen to have the tables."""
    away: str
    """Who did not answer at the last try: `clickhouse`, `kafka`, or nobody."""
    joined: bool
    """The group has given it its partitions, or none."""
    assigned: frozenset[Place]
    reached: Mapping[Place, int]
    """Place → up to where it was taken."""
    settled: Mapping[Place, int]
    """Place → up to where nothing is left to store."""
    newest: Mapping[Table, int]
    """Table → the latest Kafka timestamp of its rows, epoch milliseconds."""


class Sink:
    """Moves batches from a source to a writer until it is told to stop."""

    def __init__(
        self,
        source: Source,
        writer: Writer,
        letters: Letters,
        metrics: Metrics,
        pace: Pace,
        fail_point: FailPoint = no_fail_point,
    ) -> None:
        self._source = source
        self._metrics = metrics
        self._pace = pace
        self._fail_point = fail_point
        self._storing = Storing(
            writer, letters, metrics, pace.backoff_max_s, pace.refused_limit, fail_point
        )
        self._stop = Event()
        self._turns = 0
        self._settled = 0
        """Batches whose offsets were committed, or tried."""
        self.topics = source.topics

    def stop(self) -> None:
        """From a signal handler: what is taken is stored, then `run` returns."""
        self._stop.set()

    def run(self) -> None:
        """Returns after `stop`. Raises nothing that waiting could mend."""
        self._metrics.set(names.SINK_WAITING, 0)
        self._metrics.set(names.SINK_PENDING, 0)
        self._storing.start()
        try:
            while not self._stop.is_set():
                self._turns += 1
                if self._storing.wait_room(_PATIENCE_S):
                    self._take()
                else:
                    self._source.idle()
                self._commit()
            self._storing.finish(_FINISH_S)
            self._commit()
        finally:
            self._source.close()

    def progress(self) -> Progress:
        """For the watchdog; may be called from any thread."""
        source, storing = self._source, self._storing
        return Progress(
            turns=self._turns,
            stored=storing.stored,
            pending=storing.pending,
            checked=storing.checked,
            away=storing.away,
            joined=source.joined,
            assigned=source.assigned,
            reached=source.reached,
            settled={place: source.settled(place) for place in source.assigned},
            newest=storing.newest,
        )

    def _take(self) -> None:
        pace = self._pace
        messages = self._source.take(pace.rows, pace.megabytes << 20, pace.seconds)
        if messages:
            self._fail_point("sink-taken")
            self._storing.offer(make_batch(messages))

    def _commit(self) -> None:
        stored = self._storing.stored
        if stored == self._settled:
            return
        self._fail_point("sink-before-commit")
        committed = self._source.commit(stored - self._settled)
        self._settled = stored
        self._fail_point("sink-committed")
        for place, offset in committed.items():
            labels = (place[0], str(place[1]))
            self._metrics.set(names.SINK_POSITION, offset, *labels)
            lag = self._source.lag(place, self._source.settled(place))
            if lag is not None:
                self._metrics.set(names.SINK_LAG, lag, *labels)
