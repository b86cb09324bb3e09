"""Compressed frames: read as the driver writes them, refused before they can do harm."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import pytest
import zstd  # type: ignore[import-untyped]  # ships no types
from clickhouse_driver.compression import lz4, lz4hc
from clickhouse_driver.compression import zstd as driver_zstd
from hypothesis import given
from hypothesis import strategies as st

from sinks.local_clickhouse.compression import Method, _checksum, frames, read_frame
from sinks.local_clickhouse.errors import ConnectionEndedError, ProtocolError
from sinks.local_clickhouse.wire import Reader
from tests.local_clickhouse.bytes_in import driver_block, reader_of

METHODS = st.sampled_from([Method.LZ4, Method.ZSTD])


def frame(method: int, size: int, body: bytes) -> bytes:
    """A frame with a right checksum, whatever it says."""
    data = struct.pack("<BII", method, len(body) + 9, size) + body
    return _checksum(data) + data


@given(st.binary(min_size=1), METHODS, st.integers(1, 3))
def test_frames_round_trip(data: bytes, method: Method, times: int) -> None:
    data *= times * 1000
    reader = reader_of(b"".join(frames(data, method)), [100_000])
    assert Reader(lambda: read_frame(reader)).read(len(data)) == data
    assert reader.ended()


@pytest.mark.parametrize("module", [lz4, lz4hc, driver_zstd])
def test_frames_of_the_driver_are_read(module: Any) -> None:
    block = [("String", ["a" * 1000] * 3000)]
    reader = reader_of(driver_block(block, module.Compressor))
    plain = driver_block(block)
    assert Reader(lambda: read_frame(reader)).read(len(plain)) == plain


@given(METHODS, st.integers(0, 60), st.integers(1, 255))
def test_a_changed_byte_is_noticed(method: Method, place: int, change: int) -> None:
    data = bytearray(b"".join(frames(b"some bytes, some bytes, and more bytes", method)))
    data[place % len(data)] ^= change
    with pytest.raises((ProtocolError, ConnectionEndedError)):
        read_frame(reader_of(bytes(data)))


def test_frames_that_promise_what_they_cannot_hold() -> None:
    one = zstd.compress(b"x" * 100)
    endless = bytes.fromhex("28b52ffde0") + struct.pack("<Q", 100 << 30) + b"\x01\x00\x00"
    refused = [
        frame(Method.LZ4, 1 << 30, b"tiny"),
        frame(Method.LZ4, (1 << 30) + 1, b"x" * 9),
        frame(Method.LZ4, 100, b"no lz4 at all"),
        frame(Method.ZSTD, 1 << 30, one),
        frame(Method.ZSTD, 100, one + endless),
        frame(Method.ZSTD, 100, one[:-1]),
        frame(Method.ZSTD, 100, endless),
        frame(Method.NONE, 3, b"four"),
        frame(0x95, 4, b"four"),
        struct.pack("<QQBII", 0, 0, Method.LZ4, 3, 10),
        struct.pack("<QQBII", 0, 0, Method.LZ4, 0xFFFFFFFF, 10),
    ]
    for data in refused:
        with pytest.raises(ProtocolError):
            read_frame(reader_of(data))
    assert read_frame(reader_of(frame(Method.NONE, 4, b"four"))) == b"four"


@given(st.binary(max_size=200), METHODS)
def test_any_bytes_under_a_right_checksum(body: bytes, method: Method) -> None:
    reader = reader_of(frame(method, 50, body))
    try:
        assert len(read_frame(reader)) == 50
    except ProtocolError:
        return
    assert reader.ended()


def test_a_block_of_several_frames() -> None:
    data = BytesIO()
    for piece in (b"abc", b"d", b"efgh"):
        data.write(b"".join(frames(piece, Method.LZ4)))
    reader = reader_of(data.getvalue(), [7])
    assert Reader(lambda: read_frame(reader)).read(8) == b"abcdefgh"
