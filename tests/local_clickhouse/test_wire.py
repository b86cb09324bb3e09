"""The reader against a plain twin that has all bytes at hand, whatever pieces they come in."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.local_clickhouse.errors import ConnectionEndedError, ProtocolError
from sinks.local_clickhouse.wire import Reader, string, varint
from tests.local_clickhouse.bytes_in import reader_of

SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@given(st.lists(st.integers(0, (1 << 63) - 1)), SIZES)
def test_varints(numbers: list[int], sizes: list[int]) -> None:
    reader = reader_of(b"".join(map(varint, numbers)), sizes)
    assert [reader.varint() for _ in numbers] == numbers
    assert reader.ended()


@given(st.lists(st.text(max_size=200)), SIZES)
def test_strings_are_read_and_skipped_to_the_same_place(texts: list[str], sizes: list[int]) -> None:
    data = b"".join(map(string, texts))
    reading, skipping = reader_of(data + b"end", sizes), reader_of(data + b"end", sizes)
    assert [reading.string() for _ in texts] == texts
    skipping.skip_strings(len(texts))
    assert reading.read(3) == skipping.read(3) == b"end"


@given(st.binary(max_size=300), SIZES, st.lists(st.tuples(st.booleans(), st.integers(0, 60))))
def test_reading_skipping_and_copying(
    data: bytes, sizes: list[int], steps: list[tuple[bool, int]]
) -> None:
    reader, twin, out = reader_of(data, sizes), BytesIO(data), BytesIO()
    for is_copied, count in steps:
        expected = twin.read(count)
        if len(expected) < count:
            with pytest.raises(ConnectionEndedError):
                reader.read(count)
            return
        if is_copied:
            before = len(out.getvalue())
            with reader.copying(out):
                reader.skip(count)
            assert out.getvalue()[before:] == expected
        else:
            assert reader.read(count) == expected
    assert reader.ended() == (twin.tell() == len(data))


def test_lengths_that_nobody_would_send() -> None:
    for data in (b"\xff" * 10, varint(1 << 40) + b"short", string("x" * 70_000), b"\x02\xff\xff"):
        with pytest.raises(ProtocolError):
            reader_of(data).string()


def test_memory_follows_what_arrives_and_not_what_is_announced() -> None:
    arrived = iter([b"x" * 10])
    with pytest.raises(ConnectionEndedError):
        Reader(lambda: next(arrived, b"")).read(1 << 60)
