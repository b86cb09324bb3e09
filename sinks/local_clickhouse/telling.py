"""Progress packets: what a query has done, told while it runs and at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from sinks.local_clickhouse.engine import EngineConnection, Result
from sinks.local_clickhouse.errors import ConnectionEndedError
from sinks.local_clickhouse.packets import Progress, progress


class Teller:
    """Each packet tells what is new since the one before; clients add them up."""

    def __init__(self, send: Callable[[bytes], None], revision: int) -> None:
        self._send = send
        self._revision = revision
        self._told = Progress()

    @contextmanager
    def listening(self, connection: EngineConnection) -> Iterator[None]:
        """Tells, as the engine does, what the connection's queries do."""
        connection.tell(self._hear)
        try:
            yield
        finally:
            connection.tell(None)

    def finish(self, result: Result) -> None:
        """Tells what is left to tell."""
        self._tell(
            Progress(
                result.rows_read,
                result.bytes_read,
                self._told.total_rows,
                result.rows_written,
                result.bytes_written,
            )
        )

    def _hear(self, done: Mapping[str, int]) -> None:
        # Called by the engine, which could do nothing with an exception: whoever sends next has it.
        with suppress(ConnectionEndedError):
            self._tell(
                Progress(
                    done["read_rows"],
                    done["read_bytes"],
                    done["total_rows_to_read"],
                    done["written_rows"],
                    done["written_bytes"],
                )
            )

    def _tell(self, done: Progress) -> None:
        told, self._told = self._told, Progress(*map(max, done, self._told))
        news = Progress(*(now - then for now, then in zip(self._told, told, strict=True)))
        self._send(progress(news, self._revision))
