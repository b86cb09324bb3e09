"""Compressed frames: CityHash128 (version 1.0.2) of the rest, method, sizes, data.

The compressed size counts the nine bytes of method and sizes. A block is one or more frames.
Source: ClickHouse, src/Compression/CompressedReadBufferBase.cpp.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum

# None of the three ships type information.
import lz4.block  # type: ignore[import-untyped]
import zstd  # type: ignore[import-untyped]
from clickhouse_cityhash.cityhash import CityHash128  # type: ignore[import-untyped]

from sinks.local_clickhouse.errors import ProtocolError
from sinks.local_clickhouse.wire import Reader

# ClickHouse's own limit, for both sizes.
MAX_FRAME_BYTES = 1 << 30
FRAME_BYTES = 1 << 20
_HEADER = struct.Struct("<BII")
_CHECKSUM = struct.Struct("<QQ")
# The longest match code of LZ4 yields 255 bytes for one.
_LZ4_MAX_RATIO = 255


class Method(IntEnum):
    """The byte that names the method."""

    NONE = 0x02
    LZ4 = 0x82
    ZSTD = 0x90


def read_frame(reader: Reader) -> bytes:
    """The data of the next frame, never empty. Raises `ProtocolError` for a broken frame."""
    checksum = reader.read(_CHECKSUM.size)
    header = reader.read(_HEADER.size)
    method, size, plain_size = _HEADER.unpack(header)
    if not _HEADER.size < size <= MAX_FRAME_BYTES or not 0 < plain_size <= MAX_FRAME_BYTES:
        raise ProtocolError("a compressed frame whose size cannot be")
    data = reader.read(size - _HEADER.size)
    if _checksum(header + data) != checksum:
        raise ProtocolError("a compressed frame whose checksum is wrong")
    return _decompress(method, data, plain_size)


def frames(data: bytes, method: Method) -> Iterator[bytes]:
    """`data` as frames of at most 1 MiB of it each."""
    for start in range(0, len(data), FRAME_BYTES):
        plain = data[start : start + FRAME_BYTES]
        body = (
            zstd.compress(plain, 1)
            if method is Method.ZSTD
            else lz4.block.compress(plain, store_size=False)
        )
        frame = _HEADER.pack(method, len(body) + _HEADER.size, len(plain)) + body
        yield _checksum(frame) + frame


def _checksum(frame: bytes) -> bytes:
    """The hash as two numbers, the upper half first."""
    value = CityHash128(frame)
    return _CHECKSUM.pack(value >> 64, value & 0xFFFF_FFFF_FFFF_FFFF)


def _decompress(method: int, data: bytes, plain_size: int) -> bytes:
    """Refuses before it allocates: a frame must be able to hold what it promises."""
    try:
        if method == Method.LZ4 and plain_size <= len(data) * _LZ4_MAX_RATIO:
            plain = lz4.block.decompress(data, uncompressed_size=plain_size)
        elif method == Method.ZSTD and _zstd_size(data) == plain_size:
            plain = zstd.decompress(data)
        elif method == Method.NONE:
            plain = data
        else:
            raise ProtocolError("a compressed frame of an unknown method or a false size")
    except (lz4.block.LZ4BlockError, zstd.Error):
        raise ProtocolError("a compressed frame that cannot be decompressed") from None
    if len(plain) != plain_size:
        raise ProtocolError("a compressed frame with another size than it says")
    return bytes(plain)


def _zstd_size(data: bytes) -> int | None:
    """The content size when `data` is exactly one Zstandard frame that tells it (RFC 8878, 3.1.1).

    The library adds up the sizes of all frames that follow each other, so more than one could make
    it allocate what nobody has checked.
    """
    if len(data) < 6 or data[:4] != b"\x28\xb5\x2f\xfd":
        return None
    descriptor = data[4]
    single_segment = bool(descriptor & 0x20)
    width = (1 if single_segment else 0, 2, 4, 8)[descriptor >> 6]
    at = 5 + (0 if single_segment else 1) + (0, 1, 2, 4)[descriptor & 3]
    size = int.from_bytes(data[at : at + width], "little") + (256 if width == 2 else 0)
    at += width
    last = False
    while not last and at + 3 <= len(data):
        block = int.from_bytes(data[at : at + 3], "little")
        last = bool(block & 1)
        run_length = block >> 1 & 3 == 1
        at += 3 + (1 if run_length else block >> 3)
    checksum = 4 if descriptor & 4 else 0
    return size if last and width and at + checksum == len(data) else None
