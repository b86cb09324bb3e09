"""How HTTP clients ask it: compression, sessions, forms, who may come in."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Callable

import lz4.frame  # type: ignore[import-untyped]
import pytest

from tests.local_clickhouse.asking import Ask, ask, rows_of
from tests.local_clickhouse.process import ServerProcess


def _framed(data: bytes) -> bytes:
    from sinks.local_clickhouse.compression import Method, frames  # noqa: PLC0415

    return b"".join(frames(data, Method.LZ4))


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data[:3]) + gzip.compress(data[3:]),
    "deflate": zlib.compress,
    "lz4": lz4.frame.compress,
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("in_url", [False, True])
def test_compressed_bodies(table: Ask, encoding: str, in_url: bool) -> None:
    statement = b"INSERT INTO t FORMAT CSV\n"
    rows = b"".join(b"%d,x\n" % n for n in range(50_000))
    body = ENCODINGS[encoding](rows if in_url else statement + rows)
    query = {"query": statement.decode()} if in_url else {}
    answer = table(body, headers={"Content-Encoding": encoding}, **query)
    assert answer.status == 200, answer.text
    assert table("SELECT count(), sum(id) FROM t").text == f"50000\t{sum(range(50_000))}\n"


def test_bodies_and_answers_in_frames(table: Ask) -> None:
    body = _framed(b"INSERT INTO t FORMAT CSV\n1,a\n") + _framed(b"2,b\n")
    assert table(body, decompress=1).status == 200
    assert rows_of(table) == [["1", "a"], ["2", "b"]]
    answer = table("SELECT id FROM t ORDER BY id", compress=1)
    assert answer.body == _framed(b"1\n2\n")
    broken = table(body[:-1], decompress=1)
    assert broken.headers["X-ClickHouse-Exception-Code"] == "271"


@pytest.mark.parametrize(
    ("body", "encoding", "code"),
    [
        (gzip.compress(b"SELECT 1", mtime=0)[:-6], "gzip", "271"),
        (b"SELECT 1", "gzip", "271"),
        (b"SELECT 1", "lz4", "271"),
        (b"SELECT 1", "zstd", "271"),
        (b"SELECT 1", "br", "48"),
    ],
)
def test_bodies_that_are_not_what_they_say(
    server: ServerProcess, body: bytes, encoding: str, code: str
) -> None:
    answer = ask(server, body, headers={"Content-Encoding": encoding})
    assert answer.headers["X-ClickHouse-Exception-Code"] == code, answer.text


@pytest.mark.parametrize("rows", [3, 500_000])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "lz4", "identity, gzip;q=0.5"])
def test_compressed_answers(server: ServerProcess, encoding: str, rows: int) -> None:
    undo: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.decompress,
        "deflate": zlib.decompress,
        "lz4": lz4.frame.decompress,
    }
    sql = f"SELECT number FROM numbers({rows})"
    answer = ask(server, sql, headers={"Accept-Encoding": encoding}, enable_http_compression=1)
    plain = undo[answer.headers["Content-Encoding"]](answer.body)
    assert plain == b"".join(b"%d\n" % n for n in range(rows))
    off = ask(server, "SELECT 1", headers={"Accept-Encoding": "gzip"}, enable_http_compression=0)
    assert (off.headers["Content-Encoding"], off.body) == (None, b"1\n")


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("gzip;q=0", None),
        ("gzip; q=0.000, br", None),
        ("lz4;q=0, zstd ; Q=0 , gzip;q=0.001", "gzip"),
        ("gzip;q=1.0, deflate;q=0", "gzip"),
    ],
)
def test_an_encoding_that_is_not_wanted(
    server: ServerProcess, accepted: str, chosen: str | None
) -> None:
    answer = ask(server, "SELECT 1", headers={"Accept-Encoding": accepted})
    assert (answer.status, answer.headers["Content-Encoding"]) == (200, chosen)


def test_sessions(server: ServerProcess) -> None:
    one = {"session_id": "one", "session_timeout": 60}
    ask(server, "CREATE TEMPORARY TABLE mine (id UInt8)", **one)
    ask(server, "INSERT INTO mine VALUES (7)", **one)
    ask(server, "SET max_threads = 5", **one)
    assert ask(server, "SELECT *, getSetting('max_threads') FROM mine", **one).text == "7\t5\n"
    # A query's own settings last for the query.
    assert ask(server, "SELECT getSetting('max_threads')", max_threads=2, **one).text == "2\n"
    assert ask(server, "SELECT getSetting('max_threads')", **one).text == "5\n"
    assert ask(server, "SELECT * FROM mine").status == 404
    missing = ask(server, "SELECT 1", session_id="other", session_check=1)
    assert missing.headers["X-ClickHouse-Exception-Code"] == "372"
    for wrong in ("-1", "3601", "x"):
        answer = ask(server, "SELECT 1", session_id="two", session_timeout=wrong)
        assert answer.headers["X-ClickHouse-Exception-Code"] == "374"


def test_a_session_ends_after_its_time(server: ServerProcess) -> None:
    asked = {"session_id": "short", "session_timeout": 0}
    assert ask(server, "CREATE TEMPORARY TABLE brief (id UInt8)", **asked).status == 200
    answer = ask(server, "SELECT 1", session_check=1, **asked)
    assert answer.headers["X-ClickHouse-Exception-Code"] == "372"


def _form(fields: dict[str, str], file: str = "") -> tuple[bytes, dict[str, str]]:
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'
        for n, v in fields.items()
    ]
    if file:
        head = 'Content-Disposition: form-data; name="given"; filename="given"'
        parts.append(f"--x\r\n{head}\r\n\r\n{file}\r\n")
    body = ("".join(parts) + "--x--\r\n").encode()
    return body, {"Content-Type": "multipart/form-data; boundary=x"}


def test_a_form(server: ServerProcess) -> None:
    body, headers = _form({"query": "SELECT {n:UInt8} + 1", "param_n": "4"})
    assert ask(server, body, headers=headers).text == "5\n"


@pytest.mark.parametrize(("query", "status"), [("SELECT 1", 200), ("SELECT nothing", 404)])
def test_a_form_says_how_it_is_answered(server: ServerProcess, query: str, status: int) -> None:
    body, headers = _form({"query": query, "query_id": "mine", "enable_http_compression": "0"})
    answer = ask(server, body, headers={**headers, "Accept-Encoding": "gzip"})
    assert answer.status == status
    assert answer.headers["X-ClickHouse-Query-Id"] == "mine"
    assert answer.headers["Content-Encoding"] is None


def test_external_tables_are_refused(server: ServerProcess) -> None:
    body, headers = _form({"query": "SELECT * FROM given"}, file="1\n2\n")
    for answer in (
        ask(server, body, headers=headers),
        ask(server, "1\n", query="SELECT * FROM given", given_structure="id UInt8"),
    ):
        assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (501, "48")
        assert "temporary table" in answer.text


def test_who_may_come_in(server: ServerProcess) -> None:
    def basic(user: str, password: str) -> dict[str, str]:
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        return {"Authorization": f"Basic {token}"}

    assert ask(server, "SELECT 1", headers=basic("default", "")).status == 200
    for answer in (
        ask(server, "SELECT 1", headers=basic("default", "guess")),
        ask(server, "SELECT 1", headers=basic("someone", "")),
        ask(server, "SELECT 1", headers={"Authorization": "Bearer x"}),
        ask(server, "SELECT 1", headers={"X-ClickHouse-User": "someone"}),
        ask(server, "SELECT 1", headers={"X-ClickHouse-Key": "guess"}),
        ask(server, "SELECT 1", user="someone"),
        ask(server, "SELECT 1", password="guess"),
    ):
        assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (403, "516")
        assert "guess" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "elsewhere.example"},
        {"Host": "["},
        {"Host": "[127.0.0.1"},
        {"Origin": "http://["},
        {"Origin": "null"},
        {"Origin": "null", "Host": ""},
    ],
)
def test_web_pages_from_elsewhere_are_refused(
    server: ServerProcess, headers: dict[str, str]
) -> None:
    answer = ask(server, method="GET", query="SELECT 1", headers=headers)
    assert (answer.status, "web pages" in answer.text) == (403, True)


def test_its_own_pages_are_answered(server: ServerProcess) -> None:
    for host in (f"localhost:{server.http_port}", "[::1]"):
        own = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        assert ask(server, "SELECT 1", headers=own).body == b"1\n"
