"""Places in a table's topics, as SQL over its rows: topic, partition and offset of each message."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sinks.clickhouse.messages import Place
from sinks.clickhouse.tables import AUDIT, DEAD_LETTERS, EVENTS, FACTS, TABLE_OF, Table


class Where(NamedTuple):
    """How a row says where its message stands, as SQL expressions."""

    topic: str
    partition: str
    offset: str


def where(table: Table) -> Where:
    """A table of one topic does not repeat its name, and one of topics that have a single partition
    does not number it."""
    if table is EVENTS:
        return Where("`topic`", "`partition`", "`offset`")
    if table is FACTS:
        return Where("`topic`", "0", "`offset`")
    [topic] = topics_of(table)
    if table is DEAD_LETTERS:
        return Where(f"'{topic}'", "letter_partition", "letter_offset")
    if table is AUDIT:
        return Where(f"'{topic}'", "0", "`offset`")
    return Where(f"'{topic}'", "`partition`", "`offset`")


def topics_of(table: Table) -> tuple[str, ...]:
    return tuple(topic for topic, found in TABLE_OF.items() if found is table)


@dataclass(frozen=True, slots=True)
class Places:
    """An offset in each partition of a table's topics."""

    table: Table
    offsets: Mapping[Place, int]

    @property
    def columns(self) -> str:
        """What says where a row's message stands."""
        return ", ".join(where(self.table))

    def behind(self) -> str:
        """What holds of rows at these places or behind them, and of rows of no such partition."""
        told = where(self.table)
        before = " OR ".join(
            f"({told.topic} = '{topic}' AND {told.partition} = {partition} "
            f"AND {told.offset} < {offset})"
            for (topic, partition), offset in self.offsets.items()
        )
        return f"NOT ({before})" if before else "true"

    def before(self) -> str:
        return f"NOT ({self.behind()})"


def furthest(table: Table) -> str:
    """A query: topic and partition of the table's rows, and the offset behind the last of each."""
    topic, partition, offset = where(table)
    return f"SELECT {topic}, {partition}, max({offset}) + 1 FROM {table.name} GROUP BY ALL"  # noqa: S608  # our own names


def lacking(table: Table, new: str, condition: str) -> str:
    """A query: how many places of rows that a reader of the table sees `new` has not.

    Offsets of a partition are dense: as bitmaps they take about a bit each, whatever the table's
    size.
    """
    told = where(table)

    def offsets(name: str) -> str:
        return (
            f"SELECT {told.topic} AS in_topic, toInt64({told.partition}) AS in_partition, "  # noqa: S608  # our own names
            f"groupBitmapState(toUInt64({told.offset})) AS offsets "
            f"FROM {name} WHERE {condition} GROUP BY ALL"
        )

    return (
        "SELECT sum(bitmapAndnotCardinality(old.offsets, new.offsets)) "  # noqa: S608  # our own names
        f"FROM ({offsets(f'{table.name} FINAL')}) AS old LEFT JOIN ({offsets(new)}) AS new "
        "ON old.in_topic = new.in_topic AND old.in_partition = new.in_partition"
    )
