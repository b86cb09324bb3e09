"""Rows on their way into a table: checked by block, kept in a file, handed over in one statement.

The engine's own streaming insert swallows errors and loses rows without a word, so rows go through
a file that the INSERT reads.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from sinks.local_clickhouse.blocks import BlockShape, Column
from sinks.local_clickhouse.columns import layout_of
from sinks.local_clickhouse.engine import EngineConnection
from sinks.local_clickhouse.errors import (
    CANNOT_WRITE_TO_FILE,
    NO_SUCH_COLUMN_IN_TABLE,
    ServerError,
)
from sinks.local_clickhouse.sql import Insert

_NOT_STORED = ("MATERIALIZED", "ALIAS", "EPHEMERAL")


@dataclass(frozen=True, slots=True)
class InsertTarget:
    """The columns that a client is asked for."""

    columns: tuple[Column, ...]

    @classmethod
    def find(cls, connection: EngineConnection, insert: Insert) -> InsertTarget:
        """Raises `ServerError` for an unknown table or column, or a type that is not spoken."""
        known = connection.table_columns(insert.table)
        if insert.columns is None:
            columns = tuple(column for column, default in known if default not in _NOT_STORED)
        else:
            by_name = {column.name: column for column, _ in known}
            missing = [name for name in insert.columns if name not in by_name]
            if missing:
                raise ServerError(
                    NO_SUCH_COLUMN_IN_TABLE, f"No such column {missing[0]} in table {insert.table}"
                )
            columns = tuple(by_name[name] for name in insert.columns)
        for column in columns:
            layout_of(column.type)
        return cls(columns)

    def refuse(self, block: BlockShape) -> ServerError | None:
        """A block must have exactly the columns asked for: the engine would fill in defaults."""
        sent = {column.name for column in block.columns}
        asked = {column.name for column in self.columns}
        if sent == asked and len(block.columns) == len(self.columns):
            return None
        names = ", ".join(sorted(asked))
        return ServerError(
            NO_SUCH_COLUMN_IN_TABLE,
            f"The block sent has other columns than the insert asks for: {names}",
        )


class Spool:
    """A file without a name, as long as the insert lasts. Keeps a failed write for later.

    Raises `ServerError` when there can be no file.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        # macOS has no /proc: there the file needs a name.
        self._is_nameless = sys.platform == "linux"
        make = tempfile.TemporaryFile if self._is_nameless else tempfile.NamedTemporaryFile
        try:
            self._file: IO[bytes] = make(dir=directory)
        except OSError as error:
            raise self._failed(error) from None
        self.rows = 0
        self.failure: ServerError | None = None

    def write(self, data: bytes | memoryview, /) -> None:
        """Never raises: the client must be read to the end before it can be told."""
        if self.failure is None:
            try:
                self._file.write(data)
            except OSError as error:
                self.failure = self._failed(error)

    def path(self) -> str:
        """Where the engine finds what was written."""
        try:
            self._file.flush()
        except OSError as error:
            raise self._failed(error) from None
        return f"/proc/self/fd/{self._file.fileno()}" if self._is_nameless else self._file.name

    def _failed(self, error: OSError) -> ServerError:
        return ServerError(
            CANNOT_WRITE_TO_FILE, f"The rows cannot be kept in {self._directory}: {error.strerror}"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # what a full disk did not take is told already
            self._file.close()
