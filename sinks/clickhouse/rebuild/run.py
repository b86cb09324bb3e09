"""Rebuild a table from its topics while the sink goes on, in this order:

1. Look: what Kafka holds, and up to where the sink has stored it (`until`, for each partition).
2. Make the new table beside the old one, and a target and a view for each materialized view.
3. Fill the new table from the beginning of the topics up to `until`. What comes behind it is the
   sink's part, and is copied from the old table: so a view sees each message once.
4. Compare: a row of the old table that the new one has not would be lost.
5. Hold inserts into the old table, and wait for those under way. Copy the last rows, and swap.
   The sink, which was refused for that moment, goes on into the new table.
6. Drop what is beside: the old rows.

Whatever fails or is interrupted before the swap leaves the old table as it was, and drops the rest.
What fails during it is settled (hold.py): all tables are exchanged, or none. From its beginning on
Ctrl-C waits for the end.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn
from uuid import uuid4

from clickhouse_driver import Client

from sinks.clickhouse.address import FAILURES, Address, client_of
from sinks.clickhouse.backoff import delays
from sinks.clickhouse.messages import Place
from sinks.clickhouse.migrate import faults, missing
from sinks.clickhouse.rebuild.beside import Beside, views_of
from sinks.clickhouse.rebuild.connected import connected, why
from sinks.clickhouse.rebuild.errors import RebuildError
from sinks.clickhouse.rebuild.filling import Filled, Progress, fill
from sinks.clickhouse.rebuild.hold import Hold, holds, release, settle, under_way
from sinks.clickhouse.rebuild.interrupts import interrupts_wait
from sinks.clickhouse.rebuild.leftovers import drop_leftovers, rebuilding_since
from sinks.clickhouse.rebuild.places import Places, furthest, lacking, topics_of
from sinks.clickhouse.rebuild.topics import Range, Topics
from sinks.clickhouse.tables import Table

_UNDER_WAY_S = 30.0
_SETTLE_S = 60.0


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
        self.left: tuple[str, ...] = ()
        """After `run`: what it made and could not drop. The next rebuild of the table drops it."""

    def plan(self) -> Plan:
        """Look, and change nothing. Raises RebuildError."""
        with connected(self._address) as client, Topics(self._kafka, self._topics) as topics:
            if names := missing(client):
                raise RebuildError(f"migration {names[0]} is missing: run `vipcare migrate` first")
            self._look_at_table(client)
            self._look_for_others(client)
            views = views_of(client, self._table)
            ranges = topics.ranges()
            until = self._until(client, topics, ranges)
            lost = self._lost(client, ranges)
            return Plan(self._table, ranges, until, tuple(one.view for one in views), lost)

    def run(self, plan: Plan, say: Callable[[Progress], None], *, may_lose: bool) -> Done:
        """Do it. Raises RebuildError, and KeyboardInterrupt: then the table is as it was, if the
        error does not say otherwise."""
        with connected(self._address) as client:
            self._clear(client)
            beside = Beside(client, self._table, views_of(client, self._table), uuid4().hex[:8])
            try:
                beside.make()
                self._look_for_others(client, beside.mark)  # one that began with this one
                filled = self._fill(plan, beside.new, say)
                places = Places(self._table, plan.until)
                beside.mend(self._table.name, beside.new, places)
                lost = self._compare(client, beside.new, places)
                if lost and not may_lose:
                    _refuse(self._table, lost, filled)
                with interrupts_wait() as give_way:
                    self._swap(beside, places, give_way)
                    self._tidy(beside)
            except BaseException:
                self._tidy(beside)
                raise
        return Done(filled, lost)

    def _look_at_table(self, client: Client) -> None:
        """A new table is made as the old one is: raises RebuildError where that is not as it
        should be."""
        for fault in faults(client):
            if fault.name == self._table.name:
                raise RebuildError(f"{fault}: {fault.advice}, then say this again")

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

    def _clear(self, client: Client) -> None:
        """What is left of a rebuild that was killed. Raises RebuildError if it may live."""
        for held in holds(client):
            if held.table == self._table.name:
                if held.is_young:
                    raise RebuildError(f"{held}. If none runs, try again in a minute")
                settle(client, held)
        self._look_for_others(client)
        drop_leftovers(client, self._table.name)

    def _look_for_others(self, client: Client, mark: str = "-") -> None:
        """Raises RebuildError if there is another rebuild of the table than that of the mark."""
        if since := rebuilding_since(client, self._table.name, mark):
            raise RebuildError(
                f"another rebuild of {self._table.name} is under way since {since}. If none runs, "
                "try again in a minute"
            )

    def _swap(self, beside: Beside, places: Places, give_way: Callable[[], None]) -> None:
        """Raises RebuildError, or what `give_way` raises: then nothing is exchanged."""
        began = time.monotonic()
        held = beside.hold()
        while under_way(beside.client, f"INSERT INTO {self._table.name} "):
            give_way()
            if time.monotonic() - began > _UNDER_WAY_S:
                raise RebuildError(f"an insert into {self._table.name} has not ended: try again")
            time.sleep(0.02)
        beside.mend(self._table.name, beside.new, places)
        give_way()
        try:
            beside.swap(held)
            release(beside.client, held)
        except FAILURES as problem:
            if not self._settled(held, problem):
                raise RebuildError(
                    f"the swap failed and was undone, {held.table} is as it was: {why(problem)}"
                ) from problem

    def _settled(self, held: Hold, problem: Exception) -> bool:
        """Whether the new table is there, after a swap that failed. Raises RebuildError."""
        until = time.monotonic() + _SETTLE_S
        for delay in delays(5.0):
            try:
                with client_of(self._address) as client:
                    return settle(client, held)
            except FAILURES:
                if time.monotonic() > until:
                    break
            time.sleep(delay)
        raise RebuildError(
            f"ClickHouse went away in the middle of the swap ({why(problem)}). Inserts into "
            f"{held.table} are held, so the sink waits; no row is lost, and nothing was dropped. "
            "When it is back, `vipcare migrate` settles it: the table is then the new one or as it "
            "was, and inserts go on"
        )

    def _tidy(self, beside: Beside) -> None:
        """With a connection of its own: that of the run may be where it was interrupted."""
        table = self._table.name
        try:
            with client_of(self._address) as client:
                for held in holds(client):
                    if (held.table, held.mark) == (table, beside.mark):
                        settle(client, held)
                self.left = tuple(drop_leftovers(client, table, beside.mark))
        except (*FAILURES, RebuildError):
            self.left = (f"{beside.new}…",)


def _refuse(table: Table, lost: int, filled: Filled) -> NoReturn:
    because = "Kafka no longer holds their messages"
    if filled.refused:
        because += f", or it refuses them now ({filled.refused:,}, such as {filled.first[0]})"
    raise RebuildError(
        f"{lost:,} rows of {table.name} would be lost, because {because}: say --yes if they may"
    )
