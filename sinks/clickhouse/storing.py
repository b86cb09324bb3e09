"""The sink's second thread: batches into ClickHouse, one after the other, until they are there.

For each batch, in this order:

1. Insert its rows, table by table; rows that are refused are sorted out (sieve.py). While
   ClickHouse is away: wait longer and longer and go on where it stopped.
2. Send the dead letters of refused rows, until Kafka has them. A dead letter that is refused itself
   is only counted: it stands in Kafka already.
3. Count the batch as stored. Whoever takes from Kafka commits its offsets then.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial

import structlog

from schemas import metrics as names
from sinks.clickhouse.backoff import delays
from sinks.clickhouse.batch import Batch
from sinks.clickhouse.errors import AwayError
from sinks.clickhouse.letters import Letters, letter_of
from sinks.clickhouse.points import FailPoint
from sinks.clickhouse.rows import Rows
from sinks.clickhouse.sieve import Refused, Sieve
from sinks.clickhouse.tables import DEAD_LETTERS, TABLES, Table
from sinks.clickhouse.writer import Writer
from sinks.metrics import Metrics

AHEAD = 2
"""Batches taken and not stored, the one at hand included. More would cost memory and no time."""
_SAY_EVERY_S = 30.0
_INTERRUPTED_S = 1.0
"""By then an insert that was interrupted has failed."""
_log = structlog.get_logger(__name__)


class _StoppedError(Exception):
    """Told to stop while ClickHouse is away: Kafka has what is not committed."""


class Storing:
    """Stores what it is given, in order, on a thread of its own, until `finish`."""

    def __init__(
        self,
        writer: Writer,
        letters: Letters,
        metrics: Metrics,
        backoff_max_s: float,
        refused_limit: int,
        fail_point: FailPoint,
    ) -> None:
        self._writer = writer
        self._letters = letters
        self._metrics = metrics
        self._backoff_max_s = backoff_max_s
        self._fail_point = fail_point
        self._sieves = {
            table: Sieve(partial(self._insert, table), refused_limit) for table in TABLES
        }
        self._batches: deque[Batch] = deque()
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="storing", daemon=True)
        self.stored = 0
        """Batches stored."""
        self.checked = False
        """ClickHouse has been seen to have the tables."""
        self.away = ""
        """Who did not answer at the last try: `clickhouse`, `kafka` (a dead letter) or nobody."""
        self.newest: dict[Table, int] = {}
        """Table → the latest Kafka timestamp of its rows, epoch milliseconds."""

    def start(self) -> None:
        self._thread.start()

    @property
    def pending(self) -> int:
        """Batches that are not stored."""
        return len(self._batches)

    def offer(self, batch: Batch) -> None:
        """Only where `wait_room` said so."""
        with self._changed:
            self._batches.append(batch)
            self._note()

    def wait_room(self, seconds: float) -> bool:
        """Whether it takes another batch; waits for so long. Raises what ended the thread."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_room() or self._failure, seconds)
            if self._failure is not None:
                raise self._failure
            return self._has_room()

    def finish(self, seconds: float) -> None:
        """Store what is at hand, unless ClickHouse is away or that takes longer: then it goes
        without."""
        until = time.monotonic() + seconds
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(max(seconds - _INTERRUPTED_S, 0))
            self._writer.interrupt()
            self._thread.join(max(until - time.monotonic(), 0))
        if self._failure is not None:
            raise self._failure

    def _has_room(self) -> bool:
        return self.checked and len(self._batches) < AHEAD

    def _note(self) -> None:
        self._metrics.set(names.SINK_PENDING, len(self._batches))
        self._changed.notify_all()

    def _run(self) -> None:
        try:
            self._persist(self._writer.check)
            with self._changed:
                self.checked = True
                self._changed.notify_all()
            if not self._stop.is_set():  # ClickHouse may have answered too late
                _log.info("sink_ready")
            while (batch := self._next()) is not None:
                self._store(batch)
                with self._changed:
                    self.stored += 1
                    self._batches.popleft()
                    self._note()
        except _StoppedError:
            pass
        except BaseException as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()
        finally:
            self._writer.close()

    def _next(self) -> Batch | None:
        with self._changed:
            self._changed.wait_for(lambda: self._batches or self._stop.is_set())
            return self._batches[0] if self._batches else None

    def _store(self, batch: Batch) -> None:
        for table, rows in batch.rows.items():
            self._sort(table, rows)
            self._fail_point("sink-inserted")
            self.newest[table] = max(rows.newest(), self.newest.get(table, 0))
        for (topic, why), count in batch.skipped.items():
            self._metrics.count(names.SINK_SKIPPED, count, topic, why)
        self._metrics.observe(names.SINK_BATCH_MESSAGES, batch.messages)

    def _sort(self, table: Table, rows: Rows) -> None:
        sieve = self._sieves[table]
        sieve.begin(rows)
        refused: list[Refused] = []
        self._persist(lambda: refused.extend(sieve.sort()))
        if not refused:
            return
        if table is not DEAD_LETTERS:
            letters = [letter_of(table, one) for one in refused]
            self._persist(partial(self._letters.send, letters))
        self._metrics.count(names.SINK_REFUSED, len(refused), table.name)
        _log.error(
            "rows_refused",
            table=table.name,
            rows=len(refused),
            problem=str(refused[0].problem),
            dead_letters=table is not DEAD_LETTERS,
        )

    def _insert(self, table: Table, rows: Rows) -> None:
        began = time.monotonic()
        self._writer.insert(table, rows)
        self._metrics.observe(names.SINK_INSERT_SECONDS, time.monotonic() - began, table.name)
        self._metrics.count(names.SINK_ROWS, len(rows), table.name)

    def _persist(self, action: Callable[[], None]) -> None:
        """Try until it is done. Raises _StoppedError if told to stop before."""
        said = away_since = 0.0
        who = ""
        for delay in delays(self._backoff_max_s):
            try:
                action()
            except AwayError as problem:
                now = time.monotonic()
                away_since = away_since or now
                who = "kafka" if problem.why == "kafka" else "clickhouse"
                self._note_away(who, problem.why)
                if not said or now - said >= _SAY_EVERY_S:
                    said = now
                    _log.warning(f"{who}_away", problem=str(problem), retrying="yes")
            else:
                self.away = ""
                if away_since:
                    self._metrics.set(names.SINK_WAITING, 0)
                    _log.info(f"{who}_back", after_s=round(time.monotonic() - away_since, 1))
                return
            if self._stop.wait(delay):
                raise _StoppedError
        raise AssertionError("the delays never end")

    def _note_away(self, who: str, why: str) -> None:
        self.away = who
        self._metrics.count(names.SINK_FAILURES, 1, why)
        self._metrics.set(names.SINK_WAITING, 1)
