"""What holds inserts for the moment of a swap, and remembers how far the swap came.

Materialized views find their tables by name, and an insert looks each name up when it comes to
it: one that is under way during a swap would go half to the old tables and half to the new ones.
So inserts are held: a view of ours without a target makes ClickHouse refuse them before it writes
anything, as where a table is missing, and the sink tries again.

The view is there from before the first exchange until after the last, and its comment tells which
tables are to be exchanged. So whoever finds it, after a rebuild that was killed or has lost its
connection, can settle it:

- All are exchanged: the rebuild was through. Beside stand the old rows, all of which the new table
  has: they were copied while inserts were held.
- Else those that are exchanged are exchanged back, and the table is as it was.

Until that is so nothing is dropped. If the rebuild lives after all, it finds what it would exchange
gone, and fails.
"""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from clickhouse_driver import Client

from sinks.clickhouse.rebuild.errors import RebuildError
from sinks.clickhouse.rebuild.leftovers import DROP, MARK, drop_leftovers, table_of

YOUNG_S = 60
"""One that is younger may be of a rebuild that lives."""
_END = "_hold"
_PATIENCE_S = 30.0
_SAID = "Holds inserts while tables are exchanged: "
_HOLDS = """
SELECT name, comment, dateDiff('second', metadata_modification_time, now())
FROM system.tables
WHERE database = currentDatabase() AND position(name, %(mark)s) > 0 AND endsWith(name, %(end)s)
ORDER BY name
"""
_IDS = "SELECT name, toString(uuid) FROM system.tables WHERE database = currentDatabase()"
_UNDER_WAY = "SELECT count() FROM system.processes WHERE query ILIKE %(start)s"


class Exchange(NamedTuple):
    """Two tables that change their names, and which of them has which at the beginning."""

    name: str
    beside: str
    old: str
    new: str
    """UUIDs: of `name` and of `beside`."""

    @property
    def statement(self) -> str:
        return f"EXCHANGE TABLES `{self.name}` AND `{self.beside}`"


class Hold(NamedTuple):
    view: str
    age_s: int
    exchanges: tuple[Exchange, ...]
    """The first is the table itself."""

    def __str__(self) -> str:
        return f"inserts into {self.table} are held for {self.age_s} s by a rebuild"

    @property
    def is_young(self) -> bool:
        return self.age_s < YOUNG_S

    @property
    def table(self) -> str:
        return table_of(self.view)

    @property
    def mark(self) -> str:
        """Of the rebuild that made it."""
        return self.view.partition(MARK)[2].removesuffix(_END)


def hold(client: Client, table: str, mark: str, pairs: Sequence[tuple[str, str]]) -> Hold:
    """From now on nobody inserts into the table; what is under way goes on. `pairs` are names and
    what stands beside them, the table first."""
    ids = _ids(client)
    planned = tuple(Exchange(name, beside, ids[name], ids[beside]) for name, beside in pairs)
    if any(one.old == one.new for one in planned):
        raise RebuildError("tables can be exchanged only in a database of the engine Atomic")
    gate, view = f"{table}{MARK}{mark}_gate", f"{table}{MARK}{mark}{_END}"
    client.execute(f"CREATE TABLE {gate} (x UInt8) ENGINE = Null")
    client.execute(
        f"CREATE MATERIALIZED VIEW {view} TO {gate} AS SELECT 1 AS x FROM {table} "  # noqa: S608  # our own names
        "COMMENT %(comment)s",
        {"comment": _SAID + msgspec.json.encode(planned).decode()},
    )
    client.execute(f"DROP TABLE {gate} SYNC")
    return Hold(view, 0, planned)


def release(client: Client, held: Hold) -> None:
    client.execute(f"DROP TABLE IF EXISTS {held.view} SYNC")


def holds(client: Client) -> list[Hold]:
    """All there are in the database. Raises what the driver raises."""
    return [
        Hold(view, max(age_s, 0), _planned(comment))
        for view, comment, age_s in client.execute(_HOLDS, {"mark": MARK, "end": _END})
    ]


def settle(client: Client, held: Hold) -> bool:
    """Let inserts go on, with all tables exchanged or none; whether they are. Then what stands
    beside may be dropped.

    Raises RebuildError where it cannot tell, and what the driver raises: call it again then.
    """
    _await_exchanges(client)
    ids = _ids(client)
    done = [one for one in held.exchanges if _is_done(one, ids)]
    if len(done) < len(held.exchanges):
        for one in reversed(done):
            if one.beside in ids:  # it is gone only where two settled at a time
                client.execute(one.statement)
        ids = _ids(client)
        for one in held.exchanges:  # a rebuild that lives after all shall find nothing to exchange
            if ids.get(one.beside) == one.new:
                client.execute(f"DROP TABLE IF EXISTS `{one.beside}` SYNC", settings=DROP)
    release(client, held)
    return any(_is_done(one, _ids(client)) for one in held.exchanges[:1])


def settle_left(client: Client) -> list[str]:
    """Settle what rebuilds that were killed hold; a line for each. Raises as `settle`."""
    return [_settle_left(client, held) for held in holds(client)]


def _settle_left(client: Client, held: Hold) -> str:
    if held.is_young:
        return f"{held}: if none runs, say this again in a minute"
    state = "is the new one" if settle(client, held) else "is as it was"
    drop_leftovers(client, held.table, held.mark)
    return f"{held} that did not end: they go on, and the table {state}"


def under_way(client: Client, start: str) -> bool:
    """Whether a query of ours that begins so has not ended."""
    return bool(client.execute(_UNDER_WAY, {"start": f"{start}%"})[0][0])


def _await_exchanges(client: Client) -> None:
    """One whose connection broke may come yet."""
    until = time.monotonic() + _PATIENCE_S
    while under_way(client, "EXCHANGE TABLES "):
        if time.monotonic() > until:
            raise RebuildError("an exchange of tables does not end: try again")
        time.sleep(0.1)


def _is_done(one: Exchange, ids: Mapping[str, str]) -> bool:
    found = ids.get(one.name)
    if found not in (one.old, one.new):
        raise RebuildError(
            f"{one.name} is neither the table that a rebuild found nor the one that it made: look "
            f"at it and at {one.beside}, and drop what begins with {table_of(one.beside)}{MARK}"
        )
    return found == one.new


def _planned(comment: str) -> tuple[Exchange, ...]:
    try:
        return msgspec.json.decode(comment.removeprefix(_SAID), type=tuple[Exchange, ...])
    except msgspec.DecodeError:  # nothing of ours has exchanged anything
        return ()


def _ids(client: Client) -> dict[str, str]:
    """Name → UUID."""
    return dict(client.execute(_IDS))
