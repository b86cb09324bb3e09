"""Bytes as they come from a client: in pieces of any size."""

from __future__ import annotations

from io import BytesIO
from types import SimpleNamespace
from typing import Any

from clickhouse_driver.block import ColumnOrientedBlock
from clickhouse_driver.bufferedwriter import BufferedSocketWriter
from clickhouse_driver.context import Context
from clickhouse_driver.streams.compressed import CompressedBlockOutputStream
from clickhouse_driver.streams.native import BlockOutputStream

from sinks.local_clickhouse.packets import REVISION
from sinks.local_clickhouse.wire import Reader


def reader_of(data: bytes, sizes: list[int] | None = None) -> Reader:
    """A reader of `data`, which comes in pieces of the given sizes, over and over."""
    pieces, at, turn = [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)] if sizes else len(data)
        pieces.append(data[at : at + size])
        at, turn = at + size, turn + 1
    rest = iter(pieces)
    return Reader(lambda: next(rest, b""))


class _Socket(BytesIO):
    """The part of a socket that the driver's writer uses."""

    def sendall(self, data: bytes) -> None:
        """Writes."""
        self.write(data)


def driver_block(columns: list[tuple[str, list[Any]]], compressor: Any = None) -> bytes:
    """A block as clickhouse-driver writes it: its info first, compressed if there is a way."""
    context = Context()
    context.client_settings = {
        "use_numpy": False,
        "strings_as_bytes": False,
        "strings_encoding": "utf-8",
        "input_format_null_as_default": False,
    }
    context.settings = {}
    context.server_info = SimpleNamespace(used_revision=REVISION, get_timezone=lambda: "UTC")
    sink = _Socket()
    writer = BufferedSocketWriter(sink, 1 << 16)
    stream = (
        CompressedBlockOutputStream(compressor, 1 << 20, writer, context)
        if compressor
        else BlockOutputStream(writer, context)
    )
    types = [(f"c{place}", kind) for place, (kind, _) in enumerate(columns)]
    stream.write(ColumnOrientedBlock(types, [list(values) for _, values in columns]))
    return sink.getvalue()
