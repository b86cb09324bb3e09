"""What HTTP clients do against a server, done here."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator

import lz4.frame  # type: ignore[import-untyped]
import pytest
from clickhouse_driver import Client

from tests.local_clickhouse.asking import Answer, ask
from tests.local_clickhouse.process import ServerProcess

Ask = Callable[..., Answer]
TABLE = "CREATE TABLE t (id UInt64, name String DEFAULT 'none') ENGINE = MergeTree ORDER BY id"


@pytest.fixture
def table(server: ServerProcess, client: Client) -> Ask:
    """Asks in a database with a table `t`."""
    client.execute(TABLE)
    database = client.execute("SELECT currentDatabase()")[0][0]
    return lambda *a, **k: ask(server, *a, **{"database": database, **k})


def rows_of(table: Ask) -> list[list[str]]:
    """What is in the table."""
    answer = table("SELECT * FROM t ORDER BY ALL")
    assert answer.status == 200, answer.text
    return [line.split("\t") for line in answer.text.splitlines()]


@pytest.mark.parametrize("path", ["/", "/ping", "/replicas_status"])
def test_health_checks(server: ServerProcess, path: str) -> None:
    assert ask(server, method="GET", path=path).body == b"Ok.\n"


def test_other_pages_and_methods(server: ServerProcess) -> None:
    answer = ask(server, method="GET", path="/play")
    assert (answer.status, "no page /play" in answer.text) == (404, True)
    assert ask(server, method="DELETE").status == 405


def test_a_query_in_the_url_in_the_body_or_in_both(server: ServerProcess) -> None:
    assert ask(server, method="GET", query="SELECT 1").body == b"1\n"
    assert ask(server, "SELECT 2").body == b"2\n"
    assert ask(server, "+ 2", query="SELECT 1").body == b"3\n"
    assert ask(server, iter([b"SELE", b"CT 4"])).body == b"4\n"
    empty = ask(server, "")
    assert (empty.status, "Empty query" in empty.text) == (400, True)


@pytest.mark.parametrize(
    ("output", "kind", "body"),
    [
        ("TSV", "text/tab-separated-values; charset=UTF-8", b"1\tx\n"),
        ("CSVWithNames", "text/csv; charset=UTF-8; header=present", b'"a","b"\n1,"x"\n'),
        ("JSONEachRow", "application/x-ndjson; charset=UTF-8", b'{"a":1,"b":"x"}\n'),
        ("RowBinary", "application/octet-stream", b"\x01\x01x"),
        ("Native", "application/octet-stream", b"\x02\x01\x01a\x05UInt8\x01\x01b\x06String\x01x"),
    ],
)
@pytest.mark.parametrize("where", ["clause", "parameter", "header"])
def test_formats(server: ServerProcess, output: str, kind: str, body: bytes, where: str) -> None:
    query = "SELECT 1 AS a, 'x' AS b"
    if where == "clause":
        answer = ask(server, f"{query} FORMAT {output} SETTINGS max_threads = 1")
    elif where == "parameter":
        answer = ask(server, query, default_format=output)
    else:
        answer = ask(server, query, headers={"X-ClickHouse-Format": output})
    assert (answer.status, answer.body) == (200, body)
    assert answer.headers["X-ClickHouse-Format"] == output
    assert answer.headers["Content-Type"].split(";")[0] == kind.split(";", maxsplit=1)[0]


def test_totals_and_extremes_in_a_format_that_has_them(server: ServerProcess) -> None:
    sql = "SELECT number % 2 AS odd, count() AS n FROM numbers(5) GROUP BY odd WITH TOTALS"
    answer = json.loads(ask(server, f"{sql} ORDER BY odd FORMAT JSON", extremes=1).body)
    assert answer["totals"]["n"] == 5
    assert answer["extremes"]["max"]["n"] == 3


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SHOW TABLES", "t\n"),
        ("EXISTS t", "1\n"),
        ("DESCRIBE t", "id\tUInt64\t\t\t\t\t\nname\tString\tDEFAULT\t\\'none\\'\t\t\t\n"),
        ("CHECK TABLE t", ""),
        ("WITH 1 AS x SELECT x -- one", "1\n"),
        ("(SELECT 1) UNION ALL (SELECT 1);", "1\n1\n"),
        ("ALTER TABLE t ADD COLUMN extra UInt8", ""),
        ("OPTIMIZE TABLE t FINAL", ""),
        ("SET max_threads = 1", ""),
    ],
)
def test_statements(table: Ask, sql: str, shown: str) -> None:
    answer = table(sql)
    assert (answer.status, answer.text) == (200, shown)


@pytest.mark.parametrize(
    ("sql", "code", "status"),
    [
        ("SELECT FROM WHERE", 62, 400),
        ("SELECT 1; SELECT 2", 62, 400),
        ("SELECT toUInt8('x')", 6, 400),
        ("SELECT nothing", 47, 404),
        ("SELECT * FROM nowhere", 60, 404),
        ("SELECT * FROM nowhere.t", 81, 404),
        ("INSERT INTO nowhere VALUES (1)", 60, 404),
        ("INSERT INTO t FORMAT CSV\nx,y", 27, 400),
        ("SELECT 1 FORMAT Nonsense", 73, 404),
        ("SELECT 1 INTO OUTFILE 'x'", 48, 501),
        ("SYSTEM SHUTDOWN", 48, 501),
        ("SELECT throwIf(1)", 395, 500),
        (b"SELECT '\xff'", 62, 400),
    ],
)
def test_errors(table: Ask, sql: str | bytes, code: int, status: int) -> None:
    answer = table(sql)
    assert answer.headers["X-ClickHouse-Exception-Code"] == str(code), answer.text
    assert answer.status == status
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")
    assert re.search(r"\(version \d+\.\d+\.\d+\)\n\Z", answer.text)
    assert "/dev/fd" not in answer.text
    assert "/proc" not in answer.text


def test_what_a_get_may_not_do(table: Ask) -> None:
    for sql in ("INSERT INTO t VALUES (1, 'a')", "DROP TABLE t", "OPTIMIZE TABLE t"):
        answer = table(method="GET", query=sql)
        assert (answer.headers["X-ClickHouse-Exception-Code"], answer.status) == ("164", 500)
    assert rows_of(table) == []


@pytest.mark.parametrize("sql", ["SELEC 1", "DROP TABL t", "INSRT INTO t"])
def test_a_typo_is_the_same_mistake_over_get_and_post(table: Ask, sql: str) -> None:
    got, posted = table(method="GET", query=sql), table(sql)
    assert (got.headers["X-ClickHouse-Exception-Code"], got.status) == ("62", 400), got.text
    assert "formatQuery" not in got.text
    where = re.compile(r"failed at position \d+")
    assert where.findall(got.text) == where.findall(posted.text) != []


def test_parameters_and_settings(server: ServerProcess) -> None:
    sql = "SELECT {n:UInt64} + 1, {s:String}, {a:Array(String)}, getSetting('max_threads')"
    answer = ask(server, sql, param_n=41, param_s="it's\\tone", param_a="['x']", max_threads=3)
    assert answer.text == "42\tit\\'s\\tone\t['x']\t3\n"
    missing = ask(server, "SELECT {n:UInt64}")
    assert missing.headers["X-ClickHouse-Exception-Code"] == "456"
    unknown = ask(server, "SELECT 1", no_such_setting=1)
    assert (unknown.headers["X-ClickHouse-Exception-Code"], unknown.status) == ("115", 404)
    assert ask(server, "SELECT 1", database="nowhere").status == 404


INSERTS: list[tuple[str, str, bytes]] = [
    ("values in the body", "", b"INSERT INTO t VALUES (1, 'a'), (2, 'b');"),
    ("rows after the format", "", b"INSERT INTO t FORMAT CSV\n1,a\n2,b\n"),
    ("query and rows apart", "INSERT INTO t FORMAT TSV", b"1\ta\n2\tb\n"),
    ("columns and settings", "INSERT INTO t (name,id) SETTINGS async_insert=0 FORMAT JSONEachRow",
     b'{"id":1,"name":"a"}\n{"id":2,"name":"b"}'),
    ("binary", "INSERT INTO t FORMAT RowBinary",
     b"\x01" + bytes(7) + b"\x01a\x02" + bytes(7) + b"\x01b"),
    ("values apart", "INSERT INTO t VALUES", b"(1, 'a'), (2, 'b')"),
    ("a select", "", b"INSERT INTO t SELECT number + 1, if(number = 1, 'b', 'a') FROM numbers(2)"),
    ("by pattern", "INSERT INTO t (* EXCEPT (name)) FORMAT Values", b"(1), (2)"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "body"), [i[1:] for i in INSERTS], ids=[i[0] for i in INSERTS])
@pytest.mark.parametrize("in_chunks", [False, True])
def test_inserts(table: Ask, query: str, body: bytes, in_chunks: bool) -> None:
    pieces: Iterator[bytes] = (body[at : at + 3] for at in range(0, len(body), 3))
    given = {"query": query} if query else {}
    answer = table(pieces if in_chunks else body, **given)
    assert (answer.status, answer.body) == (200, b""), answer.text
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "2"
    names = ["none", "none"] if "EXCEPT" in query else ["a", "b"]
    assert rows_of(table) == [["1", names[0]], ["2", names[1]]]


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


def test_an_error_after_the_first_rows_is_in_the_body(server: ServerProcess) -> None:
    sql = "SELECT throwIf(number = 3000000) FROM numbers(4000000)"
    answer = ask(server, sql, max_threads=1)
    assert (answer.status, answer.is_cut) == (200, True)
    tag = answer.headers["X-ClickHouse-Exception-Tag"]
    end = answer.text[-2000:]
    match = re.search(
        rf"\r\n__exception__\r\n{tag}\r\n(Code: 395\. .*\n)(\d+) {tag}\r\n__exception__\r\n\Z",
        end,
        re.DOTALL,
    )
    assert match, end
    assert int(match[2]) == len(match[1])


def test_waiting_for_the_end_turns_that_into_a_status(server: ServerProcess) -> None:
    sql = "SELECT throwIf(number = 3000000) FROM numbers(4000000)"
    answer = ask(server, sql, wait_end_of_query=1, max_threads=1)
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (500, "395")
    whole = ask(server, "SELECT number FROM numbers(1000000)", wait_end_of_query=1)
    assert whole.body.count(b"\n") == 1_000_000
    summary = json.loads(whole.headers["X-ClickHouse-Summary"])
    assert (summary["read_rows"], summary["result_rows"]) == ("1000000", "1000000")
    early = json.loads(
        ask(server, "SELECT number FROM numbers(1000000)").headers["X-ClickHouse-Summary"]
    )
    assert (early["read_rows"], early["result_rows"]) == ("0", "0")


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
