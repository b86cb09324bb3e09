"""The tables beside the old ones: made, filled from them, and swapped. SQL alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from clickhouse_driver import Client

from sinks.clickhouse.rebuild.errors import RebuildError
from sinks.clickhouse.rebuild.hold import Hold, hold
from sinks.clickhouse.rebuild.leftovers import MARK
from sinks.clickhouse.rebuild.places import Places
from sinks.clickhouse.tables import Table

_TARGET = re.compile(r"^CREATE MATERIALIZED VIEW \S+ TO (\S+)")
_VIEWS = """
SELECT name, as_select, create_table_query
FROM system.tables
WHERE database = currentDatabase() AND has(
    (SELECT dependencies_table FROM system.tables
     WHERE database = currentDatabase() AND name = %(table)s), name)
ORDER BY name
"""
_ELSEWHERE = """
SELECT dependencies_database, dependencies_table FROM system.tables
ARRAY JOIN dependencies_database, dependencies_table
WHERE database = currentDatabase() AND name = %(table)s
    AND dependencies_database != currentDatabase()
"""
_ALSO_FED = """
SELECT arrayStringConcat(dependencies_table, ', ') FROM system.tables
WHERE database = currentDatabase() AND name = %(table)s AND notEmpty(dependencies_table)
"""


class Fed(NamedTuple):
    """A materialized view that feeds from the table."""

    view: str
    target: str
    select: str


@dataclass(frozen=True, slots=True)
class Beside:
    """The new table and what hangs on it. `mark` makes the names of one run its own."""

    client: Client
    table: Table
    views: Sequence[Fed]
    mark: str

    @property
    def new(self) -> str:
        return f"{self.table.name}{MARK}{self.mark}"

    def make(self) -> None:
        """The new table, empty, and for each view a target and a view of its own."""
        self.client.execute(f"CREATE TABLE {self.new} AS {self.table.name}")
        for number, fed in enumerate(self.views):
            target, view = self._target(number), self._view(number)
            self.client.execute(f"CREATE TABLE {target} AS `{fed.target}`")
            select = _from(fed, self._database(), self.table.name, self.new)
            self.client.execute(f"CREATE MATERIALIZED VIEW {view} TO {target} AS {select}")

    def hold(self) -> Hold:
        pairs = [(fed.target, self._target(number)) for number, fed in enumerate(self.views)]
        return hold(self.client, self.table.name, self.mark, [(self.table.name, self.new), *pairs])

    def mend(self, source: str, target: str, places: Places) -> int:
        """Copy what `target` lacks of the rows of `source` that stand at `places` or behind."""
        place = places.columns
        lacking = (
            f"FROM {source} FINAL WHERE {places.behind()} AND ({place}) NOT IN "  # noqa: S608  # our own names
            f"(SELECT {place} FROM {target} WHERE {places.behind()})"
        )
        [(count,)] = self.client.execute(f"SELECT count() {lacking}")
        if count:
            self.client.execute(f"INSERT INTO {target} SELECT * {lacking}")
        return int(count)

    def swap(self, held: Hold) -> None:
        """The new table under the old one's name, at once; then the views' targets. If it raises,
        some may be exchanged: `settle` puts that right."""
        for one in held.exchanges:
            self.client.execute(one.statement)

    def _target(self, number: int) -> str:
        return f"{self.new}_target_{number}"

    def _view(self, number: int) -> str:
        return f"{self.new}_view_{number}"

    def _database(self) -> str:
        return str(self.client.execute("SELECT currentDatabase()")[0][0])


def views_of(client: Client, table: Table) -> list[Fed]:
    """Raises RebuildError for views that cannot be rebuilt with the table."""
    name = {"table": table.name}
    for database, view in client.execute(_ELSEWHERE, name):
        raise RebuildError(
            f"the materialized view {database}.{view} feeds from {table.name}, in "
            "another database: drop it, and make it again afterwards"
        )
    found = []
    for view, select, create in client.execute(_VIEWS, name):
        if MARK in view:
            continue
        told = _TARGET.match(create)
        if told is None:
            raise RebuildError(
                f"the materialized view {view} keeps its rows within itself: make it with "
                "`CREATE MATERIALIZED VIEW … TO a table`, then it is rebuilt as well"
            )
        found.append(Fed(view, told[1].rpartition(".")[2].strip("`"), select))
    for fed in found:
        for (others,) in client.execute(_ALSO_FED, {"table": fed.target}):
            raise RebuildError(
                f"{fed.target}, the target of {fed.view}, feeds other views ({others}): they would "
                "miss what is rebuilt; drop them, and make them again afterwards"
            )
    return found


def _from(fed: Fed, database: str, old: str, new: str) -> str:
    """The view's query, from the new table."""
    named = re.compile(rf"(?<![\w`.])(?:`?{re.escape(database)}`?\.)?`?{old}`?(?![\w`])")
    found, count = named.subn(new, fed.select)
    if not count:
        raise RebuildError(f"the query of the materialized view {fed.view} does not name {old}")
    return found
