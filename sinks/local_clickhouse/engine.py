"""chDB, ClickHouse's engine in this process: one data directory, any number of connections.

A connection has its own settings, database and temporary tables, and runs one thing at a time: a
second query on it ends an open stream. The engine lives as long as one connection is open.
"""

from __future__ import annotations

import fcntl
import json
import re
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chdb import ChdbError
from chdb.state import connect

from sinks.local_clickhouse.blocks import Column
from sinks.local_clickhouse.errors import (
    UNKNOWN_EXCEPTION,
    DirectoryTakenError,
    LocalClickHouseError,
    ServerError,
)
from sinks.private_folder import make_private

_NUMBERS = ("Bool", "Int64", "UInt64", "NonZeroUInt64", "MaxThreads", "Seconds", "Milliseconds")
_CODE = re.compile(r"(?:Streaming query failed: )?Code: (\d+)\. DB::Exception: ")
# Where the engine says that it read our file: true, but not what the client did.
_FILE_HINT = re.compile(r": \(in file/uri .*?(?= \([A-Z_]+\)$|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Result:
    """What a statement gave: bytes in the format asked for, and how much it read and wrote."""

    data: bytes
    rows: int = 0
    rows_read: int = 0
    bytes_read: int = 0
    rows_written: int = 0
    bytes_written: int = 0


Progress = Callable[[Mapping[str, int]], None]
"""Called on the thread of the query, about ten times a second, with what was done so far."""


class EngineConnection:
    """One connection to the engine. Not for several threads at a time."""

    def __init__(self, path: Path) -> None:
        self._connection: Any = connect(str(path))
        self.parameters: dict[str, str] = {}
        """What `{name:Type}` in a statement stands for, in escaped form."""

    def tell(self, progress: Progress | None) -> None:
        """How far statements are, from now on; None: no more. It must not raise."""
        self._connection.set_progress_callback(progress)

    def use(self, database: str) -> None:
        """Makes `database` the one that names without a database mean."""
        name = database.replace("\\", "\\\\").replace("`", "\\`")
        self.run(f"USE `{name}`")

    def run(self, sql: str, output: str = "Native") -> Result:
        """Runs any statement to its end. Raises `ServerError` with the engine's code."""
        try:
            result = self._connection.query(sql, output, self.parameters)
        except (ChdbError, RuntimeError) as error:
            raise _server_error(str(error)) from None
        return _result(result)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a small SELECT or DESCRIBE."""
        return [json.loads(line) for line in self.run(sql, "JSONEachRow").data.splitlines()]

    def stream(self, select: str) -> Generator[Result, None, None]:
        """The blocks of a SELECT, in Native format, as they come. Closing it cancels the query."""
        try:
            with self._connection.send_query(select, "Native", self.parameters) as stream:
                yield from map(_result, stream)
        except (ChdbError, RuntimeError) as error:
            raise _server_error(str(error)) from None

    def describe(self, select: str) -> list[Column]:
        """The columns that a SELECT will give. Runs its scalar subqueries."""
        return [column for column, _ in self._describe(f"({select}\n)")]

    def shown_columns(self, show: str) -> list[Column]:
        """The columns of a SHOW, DESCRIBE, EXISTS or EXPLAIN, by running it."""
        data = self.run(show, "JSONCompactEachRowWithNamesAndTypes").data
        names, types = (json.loads(line) for line in data.splitlines()[:2])
        return [Column(name, kind) for name, kind in zip(names, types, strict=True)]

    def table_columns(self, table: str) -> list[tuple[Column, str]]:
        """A table's (or table function's) columns, each with its kind of default."""
        return self._describe(f"TABLE {table}")

    def _describe(self, what: str) -> list[tuple[Column, str]]:
        # Type names on one line, as the wire has them.
        rows = self.rows(f"DESCRIBE {what} SETTINGS print_pretty_type_names = 0")
        return [(Column(row["name"], row["type"]), row["default_type"]) for row in rows]

    def close(self) -> None:
        """Gives the connection back. Ends what it runs."""
        self._connection.close()


class Engine:
    """The engine on one directory.

    Raises `DirectoryTakenError` while another process has the directory, `LocalClickHouseError`
    when it cannot be used at all.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        try:
            make_private(self.directory)
            _refuse_taken(self.directory)
            self._keeper = EngineConnection(self.directory)
        except (OSError, RuntimeError) as error:
            raise LocalClickHouseError(
                f"the data directory {directory} cannot be used ({error}):"
                " choose another one, or make it writable"
            ) from None
        row = self._keeper.rows("SELECT version() AS version, timezone() AS timezone")[0]
        major, minor, patch = map(int, row["version"].split(".")[:3])
        self.version = (major, minor, patch)
        self.timezone: str = row["timezone"]
        self._keeping = threading.Lock()
        self._types: dict[str, str] | None = None
        formats = self._keeper.rows("SELECT name, content_type FROM system.formats")
        self.content_types: dict[str, str] = {
            row["name"].upper(): row["content_type"] for row in formats
        }
        """What HTTP calls a format, by its name in capitals."""

    def is_number(self, setting: str) -> bool | None:
        """Whether a setting is a number; None: there is none of this name."""
        with self._keeping:
            if self._types is None:
                rows = self._keeper.rows("SELECT name, type FROM system.settings")
                self._types = {row["name"]: row["type"] for row in rows}
        kind = self._types.get(setting)
        return None if kind is None else kind in _NUMBERS

    def connect(self) -> EngineConnection:
        """A connection of its own for a client."""
        return EngineConnection(self.directory)

    def kill(self, thread: int) -> None:
        """Ends, soon, the query that a thread (by its native id) runs; without effect if none."""
        with self._keeping:
            self._keeper.run(f"KILL QUERY WHERE has(thread_ids, {thread:d}) ASYNC")

    def close(self) -> None:
        """Closes the engine; all other connections must have been closed."""
        self._keeper.close()


def _refuse_taken(directory: Path) -> None:
    """The engine locks its status file, and writes who it is into it."""
    status = directory / "status"
    if not status.exists():
        return
    with status.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            process = re.search(rb"PID: (\d+)", file.read(200))
            pid = process[1].decode() if process else ""
            owner, how = (f" (process {pid})", f" (kill {pid})") if pid else ("", "")
            raise DirectoryTakenError(
                f"the data directory {directory} is in use by another local ClickHouse{owner}:"
                f" connect to that one, or stop it{how}, or choose another directory (--data)"
            ) from None


def _result(result: Any) -> Result:
    return Result(
        result.bytes() or b"",
        result.rows_read(),
        result.storage_rows_read(),
        result.storage_bytes_read(),
        result.rows_written(),
        result.bytes_written(),
    )


def _server_error(text: str) -> ServerError:
    """The engine's message with its code apart; the outermost code counts."""
    code = None
    while match := _CODE.match(text):
        code = code or int(match[1])
        text = text[match.end() :]
    return ServerError(code or UNKNOWN_EXCEPTION, _FILE_HINT.sub("", text))
