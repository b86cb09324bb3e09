"""Threads for the engine, which blocks, beside the one loop that serves HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from sinks.local_clickhouse.engine import Engine
from sinks.local_clickhouse.errors import TOO_MANY_SIMULTANEOUS_QUERIES, ServerError
from sinks.local_clickhouse.running import Running

MAX_QUERIES = 100
_KILL_AGAIN_S = 0.1
T = TypeVar("T")


class Threads:
    """At most `MAX_QUERIES` at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._workers = ThreadPoolExecutor(MAX_QUERIES, "clickhouse-http")
        self._killers = ThreadPoolExecutor(1, "clickhouse-http-kill")
        self._busy = 0

    async def run(self, work: Callable[[], T], *, to_its_end: bool = False) -> T:
        """What `work` gives. Cancelled, it ends the query and returns when that has ended.

        `to_its_end`: it lets the query end by itself. Raises `ServerError` when all threads work.
        """
        if self._busy >= MAX_QUERIES:
            raise ServerError(
                TOO_MANY_SIMULTANEOUS_QUERIES,
                f"The local ClickHouse runs at most {MAX_QUERIES} queries at a time over HTTP",
            )
        running = Running(self._engine)

        def call() -> T:
            with running:
                return work()

        self._busy += 1
        future = asyncio.get_running_loop().run_in_executor(self._workers, call)
        future.add_done_callback(self._freed)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if not to_its_end:
                await self._kill(running, future)
            await settled(future)
            raise

    def close(self) -> None:
        """No more queries."""
        self._workers.shutdown(wait=False)
        self._killers.shutdown(wait=False)

    async def _kill(self, running: Running, future: asyncio.Future[T]) -> None:
        loop = asyncio.get_running_loop()
        while not future.done():
            with suppress(asyncio.CancelledError, ServerError):
                await loop.run_in_executor(self._killers, running.kill)
                await asyncio.wait([future], timeout=_KILL_AGAIN_S)

    def _freed(self, future: asyncio.Future[Any]) -> None:
        self._busy -= 1
        if not future.cancelled():
            future.exception()  # who was cancelled does not look at it


async def settled(future: asyncio.Future[Any]) -> None:
    """Waits until it is over, however often this is cancelled; how it ended does not matter."""
    while not future.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([future])
    if not future.cancelled():
        future.exception()
