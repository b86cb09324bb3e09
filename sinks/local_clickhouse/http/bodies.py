"""A request's body: decompressed as it comes, its head looked at, its rest kept in a file."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from sinks.local_clickhouse.errors import (
    BAD_ARGUMENTS,
    SOCKET_TIMEOUT,
    SYNTAX_ERROR,
    ConnectionEndedError,
    ServerError,
)
from sinks.local_clickhouse.http.asking import Asked, add_fields, external_table
from sinks.local_clickhouse.http.encodings import Inflater
from sinks.local_clickhouse.http.frames import Frames
from sinks.local_clickhouse.inserting import Spool
from sinks.local_clickhouse.sql import end_of_insert

MAX_QUERY_BYTES = 16 << 20
_HEAD_BYTES = 256 * 1024
_PIECE_BYTES = 256 * 1024
_PIECE_SECONDS = 300.0


class Body:
    """The pieces of a body, once.

    Raises `ServerError` for a body that cannot be decompressed, and `ConnectionEndedError` when the
    client goes before its end: then nothing of it counts.
    """

    def __init__(self, request: web.BaseRequest, asked: Asked) -> None:
        self._content = request.content
        self._pieces = self._raw()
        encoding = request.headers.get("Content-Encoding", "").lower()
        if encoding not in ("", "identity"):
            self._pieces = _through(Inflater(encoding), self._pieces)
        if asked.has_framed_body:
            self._pieces = _through(Frames(), self._pieces)

    async def head(self, wanted: int = _HEAD_BYTES) -> bytes:
        """At least `wanted` bytes, or all there are."""
        head = bytearray()
        while len(head) < wanted and (piece := await anext(self._pieces, None)) is not None:
            head += piece
        return bytes(head)

    async def rest(self, spool: Spool) -> None:
        """Keeps what comes after the head. Raises `ServerError` when it cannot be kept."""
        async for piece in self._pieces:
            spool.write(piece)
            if spool.failure:
                raise spool.failure

    async def _raw(self) -> AsyncGenerator[bytes]:
        while True:
            try:
                async with asyncio.timeout(_PIECE_SECONDS):
                    piece = await self._content.read(_PIECE_BYTES)
            except TimeoutError:
                raise ServerError(
                    SOCKET_TIMEOUT, f"Nothing of the body came for {_PIECE_SECONDS:g} s"
                ) from None
            except (OSError, web.RequestPayloadError) as error:
                raise ConnectionEndedError from error
            if not piece:
                return
            yield piece


async def _through(
    inflater: Inflater | Frames, pieces: AsyncGenerator[bytes]
) -> AsyncGenerator[bytes]:
    async for piece in pieces:
        for plain in inflater.feed(piece):
            yield plain
    inflater.end()


@dataclass(frozen=True, slots=True)
class Input:
    """A statement as text, and for an INSERT whose rows follow the first bytes of them."""

    text: str
    rows: bytes | None


async def read_input(asked: Asked, body: Body) -> Input:
    """The query parameter and then the body, as far as the statement goes. Raises `ServerError`."""
    head = await body.head()
    data = asked.query.rstrip().encode(errors="surrogateescape")
    data += b"\n" + head if data and head else head
    guess = data.decode(errors="surrogateescape")
    end = end_of_insert(guess)
    if end is not None:
        statement = guess[:end].encode(errors="surrogateescape")
        return Input(text_of(statement), _START.sub(b"", data[len(statement) :], count=1))
    data += await body.head(MAX_QUERY_BYTES)
    if len(data) > MAX_QUERY_BYTES:
        raise too_large()
    return Input(text_of(data), None)


# What lies between FORMAT X and the rows: no more, since rows may begin with anything.
_START = re.compile(rb"\A[ \t\f]*;?\r?\n?")


async def read_form(request: web.BaseRequest, asked: Asked) -> None:
    """The fields of a form, which count as if they were in the URL.

    Raises `ServerError` for a file in it: that is an external table.
    """
    left = MAX_QUERY_BYTES
    try:
        parts = await request.multipart()
        while (part := await parts.next()) is not None:
            if not isinstance(part, BodyPartReader) or part.filename is not None:
                raise external_table()
            value = bytearray()
            while piece := await part.read_chunk():
                value += piece
                left -= len(piece)
                if left < 0:
                    raise too_large()
            add_fields(asked, [(part.name or "", text_of(bytes(value)))])
    except (OSError, web.RequestPayloadError) as error:
        raise ConnectionEndedError from error
    except (ValueError, AssertionError, LookupError, RuntimeError, HttpProcessingError):
        # As many as aiohttp has for it; what they say may quote the body.
        raise ServerError(BAD_ARGUMENTS, "The form cannot be read") from None


def too_large() -> ServerError:
    """The error for a statement that does not end."""
    return ServerError(SYNTAX_ERROR, f"A query of more than {MAX_QUERY_BYTES >> 20} MiB")


def text_of(data: bytes) -> str:
    """SQL as text. Raises `ServerError`."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ServerError(SYNTAX_ERROR, "The query is not UTF-8") from None
