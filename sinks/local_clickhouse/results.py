"""Results as Native blocks, the way clients of some revision want them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from io import BytesIO

from sinks.local_clickhouse.blocks import Column, copy_block, empty_block
from sinks.local_clickhouse.engine import EngineConnection, Result
from sinks.local_clickhouse.sql import SHOWING, STREAMING, Statement
from sinks.local_clickhouse.wire import Reader

_Retype = Callable[[int, Column], str]


def native_blocks(
    connection: EngineConnection, statement: Statement
) -> Generator[bytes, None, Result]:
    """The blocks of a statement's result, the first without rows; returns how much was done.

    A statement that shows nothing has none. Closing it ends a query. Raises `ServerError`.
    """
    if statement.keyword in STREAMING:
        return (yield from _select(connection, statement.text))
    return (yield from _run(connection, statement))


def _select(connection: EngineConnection, sql: str) -> Generator[bytes, None, Result]:
    columns = connection.describe(sql)
    yield empty_block(columns)
    retype = _zones(columns)
    last = Result(b"")
    with closing(connection.stream(sql)) as stream:
        for last in stream:
            yield next(_blocks(last.data, retype))[1] if retype else last.data
    return last


def _run(connection: EngineConnection, statement: Statement) -> Generator[bytes, None, Result]:
    """A statement that does not stream: its result is small, and there when it is done."""
    result = connection.run(statement.text)
    if result.data:
        for place, (columns, block) in enumerate(_blocks(result.data)):
            if not place:
                yield empty_block(columns)
            yield block
    elif statement.keyword in SHOWING:
        yield empty_block(connection.shown_columns(statement.text))
    return result


def _zones(columns: list[Column]) -> _Retype | None:
    """Gives DateTime columns their zone back, which Native format leaves out at the top level."""
    if not any(column.type.startswith("DateTime(") for column in columns):
        return None
    return lambda place, column: columns[place].type if column.type == "DateTime" else column.type


def _blocks(
    data: bytes, retype: _Retype | None = None
) -> Iterator[tuple[tuple[Column, ...], bytes]]:
    """The blocks that follow each other in `data`, each with its columns."""
    reader = Reader(iter([data, b""]).__next__)
    while not reader.ended():
        out = BytesIO()
        shape = copy_block(reader, out, retype)
        yield shape.columns, out.getvalue()
