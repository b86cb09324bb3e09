"""Bytes of the native protocol: varints, strings, and a reader that never trusts a length.

Numbers are LEB128 varints (at most 63 bits here) or little-endian; strings are a varint length and
that many bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from sinks.local_clickhouse.errors import ConnectionEndedError, ProtocolError

MAX_NAME_BYTES = 64 * 1024


class Sink(Protocol):
    """Where copied bytes go: any binary file."""

    def write(self, data: bytes | memoryview, /) -> object: ...


def varint(value: int) -> bytes:
    """`value` (not negative) as a varint."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def string(text: str) -> bytes:
    """`text` as length and UTF-8."""
    data = text.encode()
    return varint(len(data)) + data


class Reader:
    """Reads from a source of byte pieces, of which only one piece at a time is in memory.

    `fill` gives the next piece, empty at the end. Raises `ConnectionEndedError` when the source
    ends before what was asked for, `ProtocolError` when a length is not credible.
    """

    def __init__(self, fill: Callable[[], bytes]) -> None:
        self._fill = fill
        self._buffer = b""
        self._at = 0
        self._copied = 0
        self._copy: Sink | None = None

    def ended(self) -> bool:
        """True when nothing is left; waits for the source to say so."""
        try:
            self.peek()
        except ConnectionEndedError:
            return True
        return False

    def has_buffered(self) -> bool:
        """True when bytes are here already."""
        return self._at < len(self._buffer)

    def peek(self) -> int:
        """The next byte, which stays to be read."""
        if self._at == len(self._buffer):
            self._more()
        return self._buffer[self._at]

    @contextmanager
    def copying(self, out: Sink) -> Iterator[None]:
        """Writes everything that is read inside this context to `out` as well."""
        self._copy, self._copied = out, self._at
        try:
            yield
            self._write_copy()
        finally:
            self._copy = None

    def read(self, count: int) -> bytes:
        """Exactly `count` bytes. The caller has bounded `count`; memory grows with what arrives."""
        end = self._at + count
        if end <= len(self._buffer):
            data = self._buffer[self._at : end]
            self._at = end
            return data
        pieces = []
        while count:
            if self._at == len(self._buffer):
                self._more()
            piece = self._buffer[self._at : self._at + count]
            self._at += len(piece)
            count -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def skip(self, count: int) -> None:
        """Reads over `count` bytes without keeping them."""
        while (here := len(self._buffer) - self._at) < count:
            self._at += here
            count -= here
            self._more()
        self._at += count

    def byte(self) -> int:
        """One byte."""
        return self.read(1)[0]

    def unsigned(self, width: int) -> int:
        """A little-endian number of `width` bytes."""
        return int.from_bytes(self.read(width), "little")

    def varint(self) -> int:
        """A varint of at most 63 bits."""
        value = 0
        for shift in range(0, 63, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ProtocolError("a number is longer than 63 bits")

    def string(self, limit: int = MAX_NAME_BYTES) -> str:
        """A string of at most `limit` bytes of UTF-8."""
        length = self.varint()
        if length > limit:
            raise ProtocolError(f"a string of {length} bytes, where at most {limit} are allowed")
        try:
            return self.read(length).decode()
        except UnicodeDecodeError:
            raise ProtocolError("a string that is not UTF-8") from None

    def skip_strings(self, count: int) -> None:
        """Reads over `count` strings: the one loop per value that finding a block's end needs."""
        while count:
            count = self._skip_buffered_strings(count)
            if count:
                # The next one lies across two pieces.
                self.skip(self.varint())
                count -= 1

    def _skip_buffered_strings(self, count: int) -> int:
        """Reads over the strings that are whole in the buffer; how many are left to skip."""
        buffer, at, end = self._buffer, self._at, len(self._buffer)
        left = count
        while left and at < end:
            after = at + 1 + buffer[at]
            if buffer[at] > 0x7F:
                after = _end_of_long_string(buffer, at)
            if after > end:
                break
            at = after
            left -= 1
        self._at = at
        return left

    def _more(self) -> None:
        """Takes the next piece; what was read before is gone, or in the copy."""
        self._write_copy()
        data = self._fill()
        if not data:
            raise ConnectionEndedError
        rest = self._buffer[self._at :]
        self._buffer = rest + data if rest else data
        self._at = self._copied = 0

    def _write_copy(self) -> None:
        if self._copy is not None and self._at > self._copied:
            self._copy.write(memoryview(self._buffer)[self._copied : self._at])
            self._copied = self._at


def _end_of_long_string(buffer: bytes, at: int) -> int:
    """Where a string of 128 bytes or more that begins at `at` ends; past the buffer if unknown."""
    length = 0
    for place in range(at, min(at + 9, len(buffer))):
        byte = buffer[place]
        length |= (byte & 0x7F) << 7 * (place - at)
        if byte < 0x80:
            return place + 1 + length
    return len(buffer) + 1
