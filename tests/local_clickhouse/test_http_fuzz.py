"""Any bytes from an HTTP client end its request at most: never the server."""

from __future__ import annotations

import gzip
import socket
from contextlib import suppress
from urllib.parse import quote

import lz4.frame  # type: ignore[import-untyped]
import pytest
from clickhouse_driver import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sinks.local_clickhouse.compression import Method, frames
from sinks.local_clickhouse.errors import ServerError
from sinks.local_clickhouse.http.encodings import Inflater
from sinks.local_clickhouse.http.frames import Frames
from tests.local_clickhouse.asking import ask
from tests.local_clickhouse.process import ServerProcess
from tests.local_clickhouse.test_cancelling import becomes, running

SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
ROWS = b"".join(b'{"id":%d,"name":"n"}\n' % n for n in range(300))


def talk(server: ServerProcess, sent: bytes, *, is_all: bool = True) -> bytes:
    """Sends bytes; everything that comes back until the server hangs up.

    `is_all`: it is told that no more come. A server may take that for the client's end.
    """
    received = b""
    gone = suppress(ConnectionResetError, BrokenPipeError)
    address = ("127.0.0.1", server.http_port)
    with socket.create_connection(address, timeout=20) as client, gone:
        client.sendall(sent)
        if is_all:
            client.shutdown(socket.SHUT_WR)
        while piece := client.recv(1 << 16):
            received += piece
    return received


def request(query: str, body: bytes, *headers: str, chunked: bool = False) -> bytes:
    """A request that closes its connection."""
    lines = [f"POST /?query={quote(query)} HTTP/1.1", "Host: localhost", "Connection: close"]
    if chunked:
        lines.append("Transfer-Encoding: chunked")
        pieces = [body[at : at + 1000] for at in range(0, len(body), 1000)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    else:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def conversations() -> list[bytes]:
    """Good requests of every kind."""
    insert = "INSERT INTO FUNCTION null('id UInt64, name String') FORMAT JSONEachRow"
    form = b'--x\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT 1\r\n--x--\r\n'
    return [
        request("SELECT number FROM numbers(10)", b""),
        request(insert, ROWS),
        request(insert, ROWS, chunked=True),
        request(insert, gzip.compress(ROWS), "Content-Encoding: gzip", chunked=True),
        request("", b"".join(frames(b"SELECT 1", Method.LZ4))).replace(b"?", b"?decompress=1&"),
        request("", form, "Content-Type: multipart/form-data; boundary=x"),
        request("SELECT 1", b"", "Authorization: Basic ZGVmYXVsdDo=", "Accept-Encoding: zstd"),
    ]


@pytest.mark.parametrize("sent", conversations())
def test_the_conversations_themselves_are_good(server: ServerProcess, sent: bytes) -> None:
    answer = talk(server, sent, is_all=False)
    assert answer.startswith(b"HTTP/1.1 200 OK"), answer


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(
    st.sampled_from(conversations()),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 4), st.binary(max_size=6)), min_size=1, max_size=3
    ),
)
def test_a_damaged_request_ends(
    server: ServerProcess, sent: bytes, edits: list[tuple[float, int, bytes]]
) -> None:
    for place, removed, added in edits:
        at = int(place * len(sent))
        sent = sent[:at] + added + sent[at + removed :]
    talk(server, sent)
    assert server.is_running()


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(st.binary(max_size=200))
def test_noise_ends(server: ServerProcess, noise: bytes) -> None:
    talk(server, noise)
    assert server.is_running()


@settings(deadline=None)
@given(
    st.sampled_from(["gzip", "deflate", "lz4", "zstd", "xz", "bz2"]),
    st.binary(max_size=300),
    st.integers(1, 50),
)
def test_inflaters_fail_in_one_way(encoding: str, noise: bytes, size: int) -> None:
    for body in (noise, gzip.compress(noise)[:-4] + noise, lz4.frame.compress(noise)[4:]):
        for inflater in (Inflater(encoding), Frames()):
            with suppress(ServerError):
                for at in range(0, len(body), size):
                    list(inflater.feed(body[at : at + size]))
                inflater.end()


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(["gzip", "lz4"]), st.binary(max_size=2000), st.integers(1, 500))
def test_inflaters_give_back_what_was_compressed(encoding: str, data: bytes, size: int) -> None:
    compress = {"gzip": gzip.compress, "lz4": lz4.frame.compress}[encoding]
    body = compress(data) + compress(data * 300)
    inflater = Inflater(encoding)
    plain = b"".join(
        piece for at in range(0, len(body), size) for piece in inflater.feed(body[at : at + size])
    )
    inflater.end()
    assert plain == data * 301


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("closes", [False, True])
def test_a_client_that_goes_in_the_middle_of_an_insert_has_inserted_nothing(
    server: ServerProcess, client: Client, chunked: bool, closes: bool
) -> None:
    client.execute("CREATE TABLE half (id UInt64, name String) ENGINE = MergeTree ORDER BY id")
    database = client.execute("SELECT currentDatabase()")[0][0]
    insert = f"INSERT INTO {database}.half FORMAT JSONEachRow"
    sent = request(insert, ROWS * 100, chunked=chunked)
    for share in (0.5, 0.99):
        part = sent[: int(len(sent) * share)]
        if closes:
            with socket.create_connection(("127.0.0.1", server.http_port)) as leaving:
                leaving.sendall(part)
        else:
            talk(server, part)
    assert becomes(lambda: running(client, "INSERT INTO") == 0)
    assert talk(server, sent, is_all=False).startswith(b"HTTP/1.1 200")
    assert client.execute("SELECT count() FROM half") == [(30_000,)]


def test_a_body_of_half_a_zip_inserts_nothing(server: ServerProcess, client: Client) -> None:
    client.execute("CREATE TABLE half (id UInt64, name String) ENGINE = MergeTree ORDER BY id")
    database = client.execute("SELECT currentDatabase()")[0][0]
    body = gzip.compress(ROWS * 1000)
    answer = ask(
        server,
        body[: len(body) // 2],
        headers={"Content-Encoding": "gzip"},
        query=f"INSERT INTO {database}.half FORMAT JSONEachRow",
    )
    assert answer.headers["X-ClickHouse-Exception-Code"] == "271"
    assert client.execute("SELECT count() FROM half") == [(0,)]


def test_what_is_too_large(server: ServerProcess) -> None:
    assert talk(server, b"GET /?query=" + b"a" * (2 << 20)).startswith(b"HTTP/1.0 400")
    line = b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    assert b" 400 " in talk(server, line + b"X-Long: " + b"a" * (200 << 10) + b"\r\n\r\n")[:20]
    query = ask(server, b"SELECT '" + b"x" * (17 << 20) + b"'")
    assert (query.status, "16 MiB" in query.text) == (400, True)
    # A small body that is gigabytes long: 1 GiB of spaces in 1 MB.
    bomb = gzip.compress(b" " * (1 << 20), 9)
    answer = ask(server, iter([bomb] * 1024), headers={"Content-Encoding": "gzip"})
    assert (answer.status, "16 MiB" in answer.text) == (400, True)
    assert ask(server, "SELECT 1").body == b"1\n"


def test_the_server_has_not_grown(server: ServerProcess) -> None:
    """After all of that; and a large insert goes through a file, not through the memory."""
    piece = b"".join(b"%d,%s\n" % (n, b"x" * 90) for n in range(10_000))
    insert = "INSERT INTO FUNCTION null('id UInt64, name String') FORMAT CSV"
    grown = []
    for pieces in (200, 600):  # the engine's own buffers are full after the first
        answer = ask(server, iter([piece] * pieces), query=insert, max_threads=1)
        assert answer.status == 200, answer.text
        grown.append(server.memory_mb())
    assert grown[1] - grown[0] < 150
