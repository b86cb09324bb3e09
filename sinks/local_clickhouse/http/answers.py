"""A response that begins when its first bytes must go, so that what fails before has a status."""

from __future__ import annotations

import json
import secrets
import string
import tempfile
import time
from pathlib import Path

from aiohttp import web

from sinks.local_clickhouse.compression import Method, frames
from sinks.local_clickhouse.engine import Result
from sinks.local_clickhouse.errors import CANNOT_WRITE_TO_FILE, ServerError
from sinks.local_clickhouse.http.asking import Asked
from sinks.local_clickhouse.http.encodings import Deflater, choose_encoding
from sinks.local_clickhouse.http.statuses import status_of

_HELD_BYTES = 1 << 20
_COPY_BYTES = 256 * 1024
_TAG_LETTERS = 16


class Answer:
    """`write` waits for a client that reads slowly; `finish` or `fail` ends it.

    Raises OSError when the client is gone.
    """

    def __init__(self, request: web.BaseRequest, asked: Asked, folder: Path, version: str) -> None:
        self._request = request
        self._asked = asked
        self._version = version
        self._started = time.monotonic_ns()
        self._tag = "".join(secrets.choice(string.ascii_lowercase) for _ in range(_TAG_LETTERS))
        self._held = tempfile.SpooledTemporaryFile(_HELD_BYTES, dir=str(folder))  # noqa: SIM115  open until `close`
        self._response: web.StreamResponse | None = None
        self.headers = {
            "X-ClickHouse-Server-Display-Name": "vipcare-local",
            "X-ClickHouse-Exception-Tag": self._tag,
        }
        self._deflater: Deflater | None = None

    async def write(self, data: bytes) -> None:
        """Some of the result."""
        if self._response is not None:
            await self._send(data)
            return
        try:
            self._held.write(data)
        except OSError as error:
            raise ServerError(
                CANNOT_WRITE_TO_FILE, f"The result cannot be kept for its end: {error.strerror}"
            ) from None
        if self._held.tell() > _HELD_BYTES and not self._asked.waits_for_end:
            await self._begin(Result(b""))

    async def finish(self, result: Result) -> None:
        """The result is whole."""
        response = self._response or await self._begin(result)
        if self._deflater:
            await response.write(self._deflater.flush())
        await response.write_eof()

    async def fail(self, error: ServerError) -> None:
        """The query failed: a status, or else a block in the body that tells so."""
        text = f"Code: {error.code}. DB::Exception: {error.message} (version {self._version})\n"
        if self._response is None:
            self._held.close()
            del self.headers["X-ClickHouse-Exception-Tag"]
            self.headers["X-ClickHouse-Exception-Code"] = str(error.code)
            self.headers["Content-Type"] = "text/plain; charset=UTF-8"
            self.headers["X-ClickHouse-Query-Id"] = self._asked.query_id
            status = status_of(error.code)
            self._response = web.Response(status=status, headers=self.headers, body=text.encode())
            await self._response.prepare(self._request)
            await self._response.write_eof()
            return
        length = len(text.encode())
        mark = f"\r\n__exception__\r\n{self._tag}\r\n"
        await self._send(f"{mark}{text}{length} {self._tag}\r\n__exception__\r\n".encode())
        if self._deflater:
            await self._response.write(self._deflater.flush())
        # Without the last chunk, so that nobody takes the body for a whole one.
        if self._request.transport is not None:
            self._request.transport.close()

    @property
    def response(self) -> web.StreamResponse:
        """What was sent."""
        assert self._response is not None
        return self._response

    def close(self) -> None:
        """Forgets what was held back."""
        self._held.close()

    async def _begin(self, result: Result) -> web.StreamResponse:
        """The headers, then everything that was held back."""
        self.headers["X-ClickHouse-Query-Id"] = self._asked.query_id
        self.headers["X-ClickHouse-Summary"] = self._summary(result)
        encoding, self._deflater = choose_encoding(self._accepted())
        if encoding:
            self.headers["Content-Encoding"] = encoding
        self._response = response = web.StreamResponse(headers=self.headers)
        await response.prepare(self._request)
        self._held.seek(0)
        while piece := self._held.read(_COPY_BYTES):
            await self._send(piece)
        self._held.close()
        return response

    async def _send(self, data: bytes) -> None:
        assert self._response is not None
        if self._asked.has_framed_answer:
            data = b"".join(frames(data, Method.LZ4))
        if self._deflater:
            data = self._deflater.compress(data)
        if data:
            await self._response.write(data)

    def _accepted(self) -> str:
        """The encodings that the client accepts; what a form says is known by now."""
        enabled = self._asked.settings.get("enable_http_compression")
        if enabled is not None and enabled.value.lower() in ("0", "false"):
            return ""
        return self._request.headers.get("Accept-Encoding", "")

    def _summary(self, result: Result) -> str:
        numbers = {
            "read_rows": result.rows_read,
            "read_bytes": result.bytes_read,
            "written_rows": result.rows_written,
            "written_bytes": result.bytes_written,
            "total_rows_to_read": 0,
            "result_rows": result.rows,
            "result_bytes": self._held.tell(),
            "elapsed_ns": time.monotonic_ns() - self._started,
        }
        return json.dumps({name: str(value) for name, value in numbers.items()})
