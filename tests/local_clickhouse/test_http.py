"""What HTTP clients ask of a server, asked here: queries, inserts, errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.local_clickhouse.asking import Ask, ask, rows_of
from tests.local_clickhouse.process import ServerProcess


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
