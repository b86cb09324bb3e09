"""A statement's result in any format, as the engine writes it: into a pipe, read as it fills."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import Any

from sinks.local_clickhouse.engine import EngineConnection, Result
from sinks.local_clickhouse.errors import SYNTAX_ERROR, ServerError
from sinks.local_clickhouse.http.threads import Threads, settled
from sinks.local_clickhouse.sql import Statement

_PIECE_BYTES = 256 * 1024

Write = Callable[[bytes], Coroutine[Any, Any, None]]


async def write_result(
    write: Write, connection: EngineConnection, statement: Statement, output: str, threads: Threads
) -> Result:
    """Runs a SELECT, or a statement that shows something, and writes its result piece by piece.

    A pipe holds little: when `write` waits, so does the engine. Raises `ServerError`, and what
    `write` raises; the query has ended then.
    """
    read_end, write_end = os.pipe()
    pieces = asyncio.StreamReader(_PIECE_BYTES)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(pieces), os.fdopen(read_end, "rb", 0)
    )

    def run() -> Result:
        try:
            return _run_into(connection, statement, output, write_end)
        finally:
            os.close(write_end)

    query = asyncio.ensure_future(threads.run(run))
    try:
        while piece := await pieces.read(_PIECE_BYTES):
            await write(piece)
        if (await query).data:
            await write(query.result().data)
    except BaseException:
        # Without a reader the engine's next write fails, so it cannot wait for one for ever.
        transport.close()
        query.cancel()
        await settled(query)
        raise
    finally:
        transport.close()
    return query.result()


def _run_into(connection: EngineConnection, statement: Statement, output: str, pipe: int) -> Result:
    # APPEND, or else the engine would make the file anew.
    clause = f"INTO OUTFILE '/dev/fd/{pipe}' APPEND FORMAT {output}"
    try:
        return connection.run(f"{statement.text}\n{clause}")
    except ServerError as error:
        if error.code != SYNTAX_ERROR:
            raise
    # Nothing ran. What is wrong is said of the statement as it was sent; if nothing is wrong with
    # it, it is of a kind that knows no such clause, and shows little.
    return connection.run(statement.text, output)
