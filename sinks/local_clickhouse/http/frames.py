"""Bodies of `decompress=1`: frames as on the native protocol."""

from __future__ import annotations

from collections.abc import Iterator

from sinks.local_clickhouse.compression import read_frame
from sinks.local_clickhouse.errors import CANNOT_DECOMPRESS, ProtocolError, ServerError
from sinks.local_clickhouse.wire import Reader

_CHECKSUM_BYTES = 16
_HEADER_BYTES = 25
_MAX_FRAME_BYTES = 64 << 20


class Frames:
    """Frames out of pieces of any size. Raises `ServerError` for one that is broken or too long."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The data of every frame that is whole now."""
        self._buffer += data
        while (length := self._length()) is not None and len(self._buffer) >= length:
            frame = bytes(self._buffer[:length])
            del self._buffer[:length]
            try:
                yield read_frame(Reader(iter([frame, b""]).__next__))
            except ProtocolError as error:
                raise ServerError(CANNOT_DECOMPRESS, f"The body is {error}") from None

    def end(self) -> None:
        """Raises `ServerError` when the data ended inside a frame."""
        if self._buffer:
            raise ServerError(CANNOT_DECOMPRESS, "The body ends inside a compressed frame")

    def _length(self) -> int | None:
        """How long the frame is that begins the buffer, with its checksum."""
        if len(self._buffer) < _HEADER_BYTES:
            return None
        size = int.from_bytes(self._buffer[17:21], "little")
        plain = int.from_bytes(self._buffer[21:25], "little")
        if not 9 < size <= _MAX_FRAME_BYTES or plain > _MAX_FRAME_BYTES:
            raise ServerError(CANNOT_DECOMPRESS, "The body has a frame whose size cannot be")
        return _CHECKSUM_BYTES + size
