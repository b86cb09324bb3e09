"""Any bytes from a client end its connection at most: never the server."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sinks.local_clickhouse import packets
from sinks.local_clickhouse.blocks import BLOCK_INFO, copy_block, empty_block
from sinks.local_clickhouse.compression import Method, frames, read_frame
from sinks.local_clickhouse.errors import ConnectionEndedError, ProtocolError, ServerError
from sinks.local_clickhouse.wire import Reader, string, varint
from tests.local_clickhouse.bytes_in import driver_block, reader_of
from tests.local_clickhouse.process import ServerProcess

HELLO = b"\x00" + string("fuzz") + varint(20) + varint(10) + varint(54429)
HELLO += string("") + string("default") + string("")
CLIENT_INFO = b"\x01" + string("") * 2 + string("0.0.0.0:0") + b"\x01" + string("") * 3
CLIENT_INFO += varint(20) + varint(10) + varint(54429) + string("") + varint(2)
NO_DATA = b"\x02" + string("") + BLOCK_INFO + empty_block([])
COLUMNS: list[tuple[str, list[Any]]] = [
    ("UInt32", [1, 2, 3]),
    ("LowCardinality(Nullable(String))", ["a", None, "b" * 200]),
    ("Array(Map(String, Nullable(UInt8)))", [[{"a": 1}], [], [{}, {"b": None}]]),
]
TABLE = "c0 UInt32, c1 LowCardinality(Nullable(String)), c2 Array(Map(String, Nullable(UInt8)))"
SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def query(sql: str, compressed: bool = False) -> bytes:
    """A query packet and the empty block after it."""
    setting = string("max_threads") + b"\x00" + string("1") + string("")
    head = b"\x01" + string("id") + CLIENT_INFO + setting + varint(2) + varint(compressed)
    return head + string(sql) + data(BLOCK_INFO + empty_block([]), compressed)


def data(block: bytes, compressed: bool) -> bytes:
    """A data packet."""
    body = b"".join(frames(block, Method.LZ4)) if compressed else block
    return b"\x02" + string("") + body


def conversation(compressed: bool) -> bytes:
    """A hello, an insert of two blocks, a select and a ping."""
    block = data(driver_block(COLUMNS), compressed)
    end = data(BLOCK_INFO + empty_block([]), compressed)
    create = query(f"CREATE TEMPORARY TABLE fuzz ({TABLE})", compressed)
    insert = query("INSERT INTO fuzz VALUES", compressed) + block + block + end
    return HELLO + create + insert + query("SELECT * FROM fuzz", compressed) + b"\x04"


def talk(server: ServerProcess, sent: bytes) -> bytes:
    """Sends bytes and no more; everything that comes back until the server hangs up."""
    received = b""
    address = ("127.0.0.1", server.port)
    gone = suppress(ConnectionResetError, BrokenPipeError)
    with socket.create_connection(address, timeout=20) as client, gone:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        while piece := client.recv(1 << 16):
            received += piece
    return received


READERS: list[Callable[[Reader], object]] = [
    packets.read_hello,
    lambda reader: packets.read_query(reader, packets.REVISION, lambda _: None),
    lambda reader: packets.read_query(reader, packets.OLDEST_REVISION, lambda name: name < "m"),
    read_frame,
    lambda reader: copy_block(reader, BytesIO()),
]


@pytest.mark.parametrize("read", READERS, ids=["hello", "query", "old query", "frame", "block"])
@given(noise=st.binary(max_size=200), data=st.data())
def test_readers_fail_in_known_ways(
    read: Callable[[Reader], object], noise: bytes, data: st.DataObject
) -> None:
    whole = conversation(compressed=data.draw(st.booleans()))
    start = data.draw(st.integers(0, len(whole)))
    sent = data.draw(st.sampled_from([noise, whole[start:], whole[start : start + 40] + noise]))
    with suppress(ProtocolError, ConnectionEndedError, ServerError):
        read(reader_of(sent, [data.draw(st.integers(1, 300))]))


@pytest.mark.parametrize("compressed", [False, True])
def test_the_conversation_itself_is_good(server: ServerProcess, compressed: bool) -> None:
    answer = talk(server, conversation(compressed))
    assert b"DB::Exception" not in answer
    assert answer.endswith(b"\x05\x04")


@settings(max_examples=120, deadline=None, suppress_health_check=SLOW)
@given(
    compressed=st.booleans(),
    edits=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 4), st.binary(max_size=6)), min_size=1, max_size=3
    ),
)
def test_a_damaged_conversation_ends(
    server: ServerProcess, compressed: bool, edits: list[tuple[float, int, bytes]]
) -> None:
    sent = conversation(compressed)
    for place, removed, added in edits:
        at = int(place * len(sent))
        sent = sent[:at] + added + sent[at + removed :]
    talk(server, sent)
    assert server.is_running()


@settings(max_examples=30, deadline=None, suppress_health_check=SLOW)
@given(st.booleans(), st.binary(max_size=100))
def test_noise_ends_with_a_reason(server: ServerProcess, greets: bool, noise: bytes) -> None:
    talk(server, (HELLO if greets else b"") + noise)
    assert server.is_running()


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"not a native protocol Hello"),
        (HELLO + b"\x07", b"packet 7"),
        (HELLO + b"\x01" + varint(1 << 40), b"at most 65536"),
        (HELLO + NO_DATA, b"packet 2"),
        (HELLO + query("SELECT 1")[: -len(NO_DATA)] + b"\x04", b"packet 4"),
        (HELLO + query("SELECT 1", True)[:-3] + b"abc", b"checksum"),
        (HELLO + b"\x01" + string("") + b"\x02", b"another server"),
        (HELLO + b"\x02" + string("") + b"\x63", b"packet 2"),
    ],
)
def test_the_client_is_told_why(server: ServerProcess, sent: bytes, reason: bytes) -> None:
    assert reason in talk(server, sent)


def test_the_server_has_not_grown(server: ServerProcess) -> None:
    """After all of that: announced gigabytes were never allocated."""
    status = Path(f"/proc/{server.pid}/status")
    if not status.exists():
        pytest.skip("no /proc here")
    talk(server, HELLO + b"\x01" + varint(1 << 40))
    block = varint(1) + varint(1 << 40) + string("a") + string("Array(UInt64)")
    talk(server, HELLO + query("INSERT INTO FUNCTION null('a Array(UInt64)') VALUES") + block)
    peak = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    assert peak is not None
    assert int(peak[1]) < 2_000_000
    assert server.client().execute("SELECT 1") == [(1,)]
