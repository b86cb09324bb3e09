"""Queries whose clients do not want them any more are ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from sinks.local_clickhouse.engine import Engine
from sinks.local_clickhouse.errors import ServerError
from sinks.local_clickhouse.running import Running

_EVERY_S = 0.1


class Watch:
    """One thread that looks after the clients of all running queries.

    The engine's own progress callback would be a cheaper moment to look, but there are none while a
    query sleeps, sorts or merges.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queries: dict[Running, Callable[[], bool]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look, name="clickhouse-watch", daemon=True)
        self._thread.start()

    @contextmanager
    def over(self, is_unwanted: Callable[[], bool]) -> Iterator[None]:
        """What this thread asks of the engine meanwhile ends soon after `is_unwanted` says so.

        `is_unwanted` is called on the watching thread, and not after this context has been left.
        """
        with Running(self._engine) as running:
            with self._lock:
                self._queries[running] = is_unwanted
            try:
                yield
            finally:
                with self._lock:
                    del self._queries[running]

    def stop(self) -> None:
        """Looks no more."""
        self._stopping.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            with self._lock:
                unwanted = [running for running, asks in self._queries.items() if asks()]
            for running in unwanted:
                with suppress(ServerError):
                    running.kill()
