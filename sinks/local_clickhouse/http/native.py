"""Results in format Native for clients that name a protocol revision: blocks with their info."""

from __future__ import annotations

import asyncio
from contextlib import closing

from sinks.local_clickhouse.blocks import BLOCK_INFO
from sinks.local_clickhouse.engine import EngineConnection, Result
from sinks.local_clickhouse.http.outputs import Write
from sinks.local_clickhouse.http.threads import Threads
from sinks.local_clickhouse.results import native_blocks
from sinks.local_clickhouse.sql import Statement


async def write_blocks(
    write: Write, connection: EngineConnection, statement: Statement, threads: Threads
) -> Result:
    """As `write_result`. A block without rows goes only where there is no other."""
    loop = asyncio.get_running_loop()

    def send(block: bytes) -> None:
        asyncio.run_coroutine_threadsafe(write(BLOCK_INFO + block), loop).result()

    def run() -> Result:
        rows = 0
        with closing(native_blocks(connection, statement)) as blocks:
            start = next(blocks, None)
            while True:
                try:
                    block = next(blocks)
                except StopIteration as end:
                    if start is not None and not rows:
                        send(start)
                    return end.value if isinstance(end.value, Result) else Result(b"")
                rows += 1
                send(block)

    return await threads.run(run)
