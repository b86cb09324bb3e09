"""Content encodings: bodies that come compressed, and answers that go compressed.

Nothing is decompressed by more than a piece at a time, so a small body cannot fill the memory.
"""

from __future__ import annotations

import bz2
import lzma
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol, cast

import lz4.frame  # type: ignore[import-untyped]  # ships no type information

from sinks.local_clickhouse.errors import CANNOT_DECOMPRESS, NOT_IMPLEMENTED, ServerError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_PIECE_BYTES = 256 * 1024
_GZIP, _ZLIB = 31, 15
_ZLIB_LEVEL = 3


class _Decompressor(Protocol):
    """What the standard library's decompressors have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Zlib:
    """zlib's decompressor in the manner of the others."""

    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        plain = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = len(plain) < max_length and not self._inner.unconsumed_tail
        return plain


_DECOMPRESSORS: dict[str, Callable[[], _Decompressor]] = {
    "gzip": lambda: _Zlib(_GZIP),
    "x-gzip": lambda: _Zlib(_GZIP),
    "deflate": lambda: _Zlib(_ZLIB),
    "lz4": lambda: cast(_Decompressor, lz4.frame.LZ4FrameDecompressor()),
    "zstd": zstd.ZstdDecompressor,
    "xz": lzma.LZMADecompressor,
    "bz2": bz2.BZ2Decompressor,
}
_BROKEN = (zlib.error, lzma.LZMAError, zstd.ZstdError, OSError, RuntimeError, EOFError, ValueError)


class Inflater:
    """A body in one encoding, piece by piece; several streams may follow each other.

    Raises `ServerError` for an encoding that is not spoken, and for data that is not in it.
    """

    def __init__(self, encoding: str) -> None:
        if encoding not in _DECOMPRESSORS:
            raise ServerError(
                NOT_IMPLEMENTED,
                f"Unknown compression method {encoding[:40]!r}: the local ClickHouse takes"
                " gzip, deflate, lz4, zstd, xz and bz2",
            )
        self._encoding = encoding
        self._make = _DECOMPRESSORS[encoding]
        self._stream = self._make()
        self._is_between = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` decompresses to, in pieces of a bounded size."""
        try:
            yield from self._feed(data)
        except _BROKEN:
            raise self._error("that cannot be decompressed") from None

    def end(self) -> None:
        """Raises `ServerError` when the data ended too early."""
        if not self._is_between:
            raise self._error("that ends too early")

    def _feed(self, data: bytes) -> Iterator[bytes]:
        while data or not (self._is_between or self._stream.needs_input):
            if self._is_between:
                self._stream, self._is_between = self._make(), False
            if plain := self._stream.decompress(data, _PIECE_BYTES):
                yield plain
            self._is_between = self._stream.eof
            data = self._stream.unused_data if self._stream.eof else b""

    def _error(self, what: str) -> ServerError:
        return ServerError(CANNOT_DECOMPRESS, f"A body in the encoding {self._encoding} {what}")


class Deflater(Protocol):
    """An answer in one encoding, piece by piece."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Lz4:
    """A frame whose header goes before its first bytes."""

    def __init__(self) -> None:
        self._inner = lz4.frame.LZ4FrameCompressor()
        self._start: bytes = self._inner.begin()

    def compress(self, data: bytes, /) -> bytes:
        start, self._start = self._start, b""
        return start + cast(bytes, self._inner.compress(data))

    def flush(self) -> bytes:
        start, self._start = self._start, b""
        return start + cast(bytes, self._inner.flush())


_NONE = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*")
_COMPRESSORS: dict[str, Callable[[], Deflater]] = {
    "lz4": _Lz4,
    "zstd": lambda: zstd.ZstdCompressor(level=1),
    "gzip": lambda: zlib.compressobj(_ZLIB_LEVEL, zlib.DEFLATED, _GZIP),
    "deflate": lambda: zlib.compressobj(_ZLIB_LEVEL, zlib.DEFLATED, _ZLIB),
    "xz": lzma.LZMACompressor,
    "bz2": bz2.BZ2Compressor,
}


def choose_encoding(accepted: str) -> tuple[str, Deflater | None]:
    """Of those that an Accept-Encoding header names the fastest; "" and None for plain.

    A weight says nothing but that one is not wanted (q=0).
    """
    offered = [part.lower().partition(";") for part in accepted.split(",")]
    wanted = {name.strip() for name, _, weight in offered if not _NONE.fullmatch(weight)}
    return next(
        ((name, make()) for name, make in _COMPRESSORS.items() if name in wanted), ("", None)
    )
