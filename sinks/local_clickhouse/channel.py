"""A client's socket with blocks on it, compressed or not as each query says."""

from __future__ import annotations

import socket

from sinks.local_clickhouse import packets
from sinks.local_clickhouse.blocks import BLOCK_INFO, BlockShape, copy_block, skip_block_info
from sinks.local_clickhouse.compression import Method, frames, read_frame
from sinks.local_clickhouse.errors import ConnectionEndedError, ProtocolError, ServerError
from sinks.local_clickhouse.packets import FromClient
from sinks.local_clickhouse.wire import Reader, Sink

_RECEIVE_BYTES = 256 * 1024


class Channel:
    """Reads packets with `reader`, sends with `send`; `method` is for blocks, both ways.

    Raises `ConnectionEndedError` when the client is gone.
    """

    def __init__(self, client: socket.socket) -> None:
        self._socket = client
        self.reader = Reader(self._receive)
        self.method: Method | None = None

    def send(self, data: bytes) -> None:
        """Sends all of it; waits for a client that reads slowly."""
        try:
            self._socket.sendall(data)
        except OSError:
            raise ConnectionEndedError from None

    def send_block(self, block: bytes) -> None:
        """A data packet with one block, given in Native format."""
        self.send(packets.DATA_HEADER)
        data = BLOCK_INFO + block
        for piece in [data] if self.method is None else frames(data, self.method):
            self.send(piece)

    def receive_block(self, out: Sink) -> BlockShape:
        """The data packet that must come now, its block copied to `out` in Native format."""
        code = self.reader.varint()
        if code != FromClient.DATA:
            raise ProtocolError(f"packet {code}, where data was expected")
        self.reader.string()  # an external table's name
        reader = self.reader if self.method is None else Reader(lambda: read_frame(self.reader))
        skip_block_info(reader)
        try:
            shape = copy_block(reader, out)
        except ServerError as error:
            # Where a column of an unknown type ends, nobody knows.
            raise ProtocolError(error.message) from None
        if reader is not self.reader and reader.has_buffered():
            raise ProtocolError("a compressed frame with bytes after its block")
        return shape

    def is_unwanted(self) -> bool:
        """Looks, without waiting or taking anything, whether the client cancels or is gone."""
        if self.reader.has_buffered():
            return self.reader.peek() == FromClient.CANCEL
        try:
            data = self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True
        # Anything else was sent ahead, and waits its turn.
        return not data or data[0] == FromClient.CANCEL

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(_RECEIVE_BYTES)
        except OSError:
            return b""
