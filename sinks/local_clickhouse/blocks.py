"""Blocks: columns by name and type with their rows, in ClickHouse's Native format.

On the wire a block comes after a small block info; the engine's Native format has none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sinks.local_clickhouse.columns import layout_of
from sinks.local_clickhouse.errors import ProtocolError
from sinks.local_clickhouse.wire import Reader, Sink, string, varint

# Field 1: not an overflow block; field 2: no bucket (-1); 0: the end.
BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
MAX_COLUMNS = 10_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name and type, as ClickHouse writes them."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class BlockShape:
    """What a block holds."""

    columns: tuple[Column, ...]
    rows: int


def empty_block(columns: Sequence[Column]) -> bytes:
    """A block without rows: how a result or an insert tells its columns."""
    names = b"".join(string(column.name) + string(column.type) for column in columns)
    return varint(len(columns)) + varint(0) + names


def skip_block_info(reader: Reader) -> None:
    """Reads over the block info; its fields matter to clusters only."""
    for _ in range(3):
        field = reader.varint()
        if field == 0:
            return
        if field not in (1, 2):
            raise ProtocolError("a block info with an unknown field")
        reader.skip(1 if field == 1 else 4)
    raise ProtocolError("a block info without an end")


def copy_block(
    reader: Reader, out: Sink, retype: Callable[[int, Column], str] | None = None
) -> BlockShape:
    """Copies one block and tells its shape.

    `retype` may give another type name for a column, by place. Raises `ServerError` for a type that
    is not spoken, `ProtocolError` for a block that cannot be one.
    """
    count, rows = reader.varint(), reader.varint()
    if count > MAX_COLUMNS:
        raise ProtocolError(f"a block of {count} columns, where at most {MAX_COLUMNS} are allowed")
    if rows and not count:
        raise ProtocolError("a block with rows but without columns")
    out.write(varint(count) + varint(rows))
    columns = []
    for place in range(count):
        column = Column(reader.string(), reader.string())
        columns.append(column)
        out.write(string(column.name) + string(retype(place, column) if retype else column.type))
        if rows:
            layout = layout_of(column.type)
            with reader.copying(out):
                layout.prefix(reader)
                layout.rows(reader, rows)
    return BlockShape(tuple(columns), rows)
