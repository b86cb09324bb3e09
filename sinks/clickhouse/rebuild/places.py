"""Places in a table's topics, as SQL conditions on its rows."""

from collections.abc import Mapping
from dataclasses import dataclass

from sinks.clickhouse.source import Place
from sinks.clickhouse.tables import DEAD_LETTERS, EVENTS, Table


@dataclass(frozen=True, slots=True)
class Places:
    """An offset in each partition of a table's topics."""

    table: Table
    offsets: Mapping[Place, int]

    @property
    def columns(self) -> str:
        """What says where a row's message stands."""
        return ", ".join((*_where(self.table), _offset(self.table)))

    def behind(self) -> str:
        """What holds of rows at these places or behind them, and of rows of no such partition."""
        before = " OR ".join(
            f"({self._is(place)} AND {_offset(self.table)} < {offset})"
            for place, offset in self.offsets.items()
        )
        return f"NOT ({before})" if before else "true"

    def before(self) -> str:
        return f"NOT ({self.behind()})"

    def _is(self, place: Place) -> str:
        topic, partition = place
        values = (f"'{topic}'", str(partition))[-len(_where(self.table)) :]
        pairs = zip(_where(self.table), values, strict=True)
        return " AND ".join(f"{column} = {value}" for column, value in pairs)


def furthest(table: Table) -> str:
    """A query: the partitions of the table's rows, and the offset behind the last of each."""
    where = ", ".join(_where(table))
    return f"SELECT {where}, max({_offset(table)}) + 1 FROM {table.name} GROUP BY {where}"  # noqa: S608  # our own names


def counts(table: Table, name: str, condition: str) -> str:
    """A query: the partitions, and how many rows a reader sees of each."""
    where = ", ".join(_where(table))
    return f"SELECT {where}, count() FROM {name} FINAL WHERE {condition} GROUP BY {where}"  # noqa: S608  # our own names


def place_of(table: Table, topics: tuple[str, ...], row: tuple[object, ...]) -> Place:
    """The place that the first columns of a row of these queries name."""
    if table is EVENTS:
        return str(row[0]), int(str(row[1]))
    return topics[0], int(str(row[0]))


def _where(table: Table) -> tuple[str, ...]:
    if table is EVENTS:
        return ("`topic`", "`partition`")
    return ("letter_partition",) if table is DEAD_LETTERS else ("`partition`",)


def _offset(table: Table) -> str:
    return "letter_offset" if table is DEAD_LETTERS else "`offset`"
