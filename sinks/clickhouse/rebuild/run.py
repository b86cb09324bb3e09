"""Rebuild a table from its topics while the sink goes on, in this order:

1. Look: what Kafka holds, and up to where the sink has stored it (`until`, for each partition).
2. Make the new table beside the old one, and a target and a view for each materialized view.
3. Fill the new table from the beginning of the topics up to `until`. What comes behind it is the
   sink's part, and is copied from the old table: so a view sees each message once.
4. Compare: a row of the old table that the new one has not would be lost.
5. Hold inserts into the old table, and wait for those under way. Copy the last rows, and swap.
   The sink, which was refused for that moment, goes on into the new table.
6. Drop what is beside: the old rows.

Whatever fails or is interrupted before 5 leaves the old table as it was, and drops the rest.
"""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from sinks.clickhouse.address import FAILURES, Address, client_of
from sinks.clickhouse.errors import AwayError, explain
from sinks.clickhouse.migrate import missing
from sinks.clickhouse.rebuild.beside import Beside, drop_leftovers, views_of
from sinks.clickhouse.rebuild.errors import RebuildError
from sinks.clickhouse.rebuild.filling import Filled, Progress, fill
from sinks.clickhouse.rebuild.places import Places, furthest, lacking, topics_of
from sinks.clickhouse.rebuild.topics import Range, Topics
from sinks.clickhouse.source import Place
from sinks.clickhouse.tables import Table

_UNDER_WAY_S = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rebuild would do."""

    table: Table
    ranges: Mapping[Place, Range]
    until: Mapping[Place, int]
    """Place → up to where it is filled from Kafka; behind it the sink does it."""
    views: tuple[str, ...]
    """Materialized views that are rebuilt with it."""
    lost: int
    """Rows of the old table that stand before what Kafka holds."""

    @property
    def messages(self) -> int:
        """At most so many are read."""
        return sum(max(self.until[place] - one.begin, 0) for place, one in self.ranges.items())


@dataclass(frozen=True, slots=True)
class Done:
    filled: Filled
    lost: int


class Rebuild:
    """Of one table. `kafka` is librdkafka's configuration with the sink's group; it joins none."""

    def __init__(self, address: Address, kafka: Mapping[str, object], table: Table) -> None:
        self._address = address
        self._table = table
        self._topics = topics_of(table)
        self._kafka = kafka

    def plan(self) -> Plan:
        """Look, and change nothing. Raises RebuildError."""
        with self._clickhouse() as client, Topics(self._kafka, self._topics) as topics:
            if names := missing(client):
                raise RebuildError(f"migration {names[0]} is missing: run `vipcare migrate` first")
            views = views_of(client, self._table)
            ranges = topics.ranges()
            until = self._until(client, topics, ranges)
            lost = self._lost(client, ranges)
            return Plan(self._table, ranges, until, tuple(one.view for one in views), lost)

    def run(self, plan: Plan, say: Callable[[Progress], None], *, may_lose: bool) -> Done:
        """Do it. Raises RebuildError; then the table is as it was."""
        with self._clickhouse() as client:
            drop_leftovers(client, self._table)
            beside = Beside(client, self._table, views_of(client, self._table), uuid4().hex[:8])
            try:
                beside.make()
                filled = self._fill(plan, beside.new, say)
                places = Places(self._table, plan.until)
                beside.mend(self._table.name, beside.new, places)
                lost = self._compare(client, beside.new, places)
                if lost and not may_lose:
                    raise RebuildError(
                        f"{lost:,} rows of {self._table.name} would be lost, because "
                        f"{_why_lost(filled)}: say --yes if they may"
                    )
                with _undisturbed():
                    self._swap(beside, places)
            finally:
                self._tidy(beside)
        return Done(filled, lost)

    def _clickhouse(self) -> "_Connected":
        return _Connected(self._address)

    def _until(
        self, client: Client, topics: Topics, ranges: Mapping[Place, Range]
    ) -> dict[Place, int]:
        committed = topics.committed([*ranges])
        stored: dict[Place, int] = {
            (topic, partition): end
            for topic, partition, end in client.execute(furthest(self._table))
        }
        return {
            place: max(committed.get(place, 0), stored.get(place, 0), one.begin)
            for place, one in ranges.items()
        }

    def _lost(self, client: Client, ranges: Mapping[Place, Range]) -> int:
        """Rows that stand before what Kafka holds. What else it lacks is seen in the end."""
        begins = Places(self._table, {place: one.begin for place, one in ranges.items()})
        query = f"SELECT count() FROM {self._table.name} FINAL WHERE {begins.before()}"  # noqa: S608  # our own names
        return int(client.execute(query)[0][0])

    def _fill(self, plan: Plan, name: str, say: Callable[[Progress], None]) -> Filled:
        ranges = {place: (one.begin, plan.until[place]) for place, one in plan.ranges.items()}
        with Topics(self._kafka, self._topics) as topics:
            return fill(self._address, topics, self._table, name, ranges, say)

    def _compare(self, client: Client, new: str, places: Places) -> int:
        """How many places a reader sees in the old table that the new one has not."""
        return int(client.execute(lacking(self._table, new, places.before()))[0][0])

    def _swap(self, beside: Beside, places: Places) -> None:
        began = time.monotonic()
        beside.hold()
        while beside.inserts_under_way():
            if time.monotonic() - began > _UNDER_WAY_S:
                raise RebuildError(f"an insert into {self._table.name} has not ended: try again")
            time.sleep(0.02)
        beside.mend(self._table.name, beside.new, places)
        beside.swap()
        beside.release()

    def _tidy(self, beside: Beside) -> None:
        """With a connection of its own: that of the run may be where it was interrupted."""
        with suppress(*FAILURES), client_of(self._address) as client:
            drop_leftovers(client, self._table, beside.mark)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C waits: half a swap would be neither the old state nor the new one."""
    held = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, held)


class _Connected:
    """A client whose failures are RebuildErrors."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._context = client_of(address)

    def __enter__(self) -> Client:
        return self._context.__enter__()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._context.__exit__(None, None, None)
        if isinstance(error, ServerException):
            text = " ".join(str(error.message).split("Stack trace:")[0].split())[:300]
            raise RebuildError(f"ClickHouse at {self._address} refuses: {text}") from error
        if isinstance(error, AwayError):
            raise RebuildError(f"ClickHouse at {self._address}: {error}") from error
        if isinstance(error, FAILURES):
            raise RebuildError(f"ClickHouse at {self._address}: {explain(error)}") from error


def _why_lost(filled: Filled) -> str:
    gone = "Kafka no longer holds their messages"
    if not filled.refused:
        return gone
    return f"{gone}, or the table refuses them now ({filled.refused:,}, such as {filled.first[0]})"
