"""A query at work on a thread, which another thread may end."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from sinks.local_clickhouse.engine import Engine


class Running:
    """Inside it, what this thread asks of the engine can be killed by another thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread: int | None = None
        self._lock = threading.Lock()

    def kill(self) -> None:
        """Ends the query, soon; without effect outside. Say it again until it has ended."""
        # Under the lock, so that the thread cannot go on to a query that nobody means to end.
        with self._lock:
            if self._thread is not None:
                self._engine.kill(self._thread)

    def __enter__(self) -> Self:
        with self._lock:
            self._thread = threading.get_native_id()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._thread = None
