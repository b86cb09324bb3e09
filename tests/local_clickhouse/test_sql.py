"""What the wire needs to know of a statement, told from strings and comments that look alike."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.local_clickhouse.errors import ServerError
from sinks.local_clickhouse.sql import parse_statement


@pytest.mark.parametrize(
    ("sql", "keyword", "text"),
    [
        ("select 1 ;;", "SELECT", "select 1"),
        ("-- a comment\n(select 1) union all (select 2)", "SELECT", None),
        ("/* x */ WITH 1 AS a SELECT a -- end", "WITH", "WITH 1 AS a SELECT a"),
        ("SELECT ';', \"a;b\", `c;d` FROM t", "SELECT", None),
        ("SELECT 'it''s', 'a\\'; b' FROM t", "SELECT", None),
        ("SELECT $x$ ; ' $x$", "SELECT", None),
        ("SELECT 1 FORMAT JSON", "SELECT", "SELECT 1"),
        ("SELECT 1 FORMAT JSON SETTINGS a = 1;", "SELECT", "SELECT 1 SETTINGS a = 1"),
        ("SELECT 1 SETTINGS a = 1 format Native", "SELECT", "SELECT 1 SETTINGS a = 1"),
        ("SELECT format FROM t", "SELECT", "SELECT format FROM t"),
        ("SELECT 'FORMAT JSON'", "SELECT", "SELECT 'FORMAT JSON'"),
        ("SELECT format('{}', 1)", "SELECT", "SELECT format('{}', 1)"),
        ("SELECT 'WITH TOTALS' -- WITH TOTALS", "SELECT", "SELECT 'WITH TOTALS'"),
        ("SHOW TABLES FORMAT TSV", "SHOW", "SHOW TABLES"),
    ],
)
def test_statements(sql: str, keyword: str, text: str | None) -> None:
    statement = parse_statement(sql)
    assert (statement.keyword, statement.insert) == (keyword, None)
    start = sql.index("(") if sql.startswith("--") else 0
    assert statement.text == (text or sql[start:])


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("INSERT INTO t VALUES", "INSERT INTO t FROM INFILE 'f' FORMAT Native"),
        ("insert into db.t (a, `b c`) values", "INSERT INTO db.t (a, `b c`) FROM INFILE 'f'"),
        ("INSERT INTO TABLE `t` FORMAT Native;", "INSERT INTO `t` FROM INFILE 'f'"),
        ("INSERT t SETTINGS a = 'VALUES' VALUES", "FROM INFILE 'f' SETTINGS a = 'VALUES' FORMAT"),
        ("INSERT INTO FUNCTION file('x', 'CSV') VALUES", "INSERT INTO FUNCTION file('x', 'CSV')"),
    ],
)
def test_inserts_that_wait_for_data(sql: str, expected: str) -> None:
    insert = parse_statement(sql).insert
    assert insert is not None
    assert expected in " ".join(insert.from_file("f").split())


def test_the_columns_of_an_insert() -> None:
    insert = parse_statement('INSERT INTO t (a, `b``c`, "d e", n.x) VALUES').insert
    assert insert is not None
    assert insert.columns == ("a", "b`c", "d e", "n.x")
    pattern = parse_statement("INSERT INTO t (* EXCEPT(a)) VALUES").insert
    assert pattern is not None
    with pytest.raises(ServerError, match="by name"):
        _ = pattern.columns


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1), (2)",
        "INSERT INTO t (a) SELECT 1",
        "INSERT INTO t WITH 1 AS x SELECT x",
        "WITH 1 AS x INSERT INTO t SELECT x",
        "INSERT INTO t FORMAT CSV 1,2",
    ],
)
def test_inserts_that_bring_their_data(sql: str) -> None:
    statement = parse_statement(sql)
    assert (statement.insert, statement.text) == (None, sql)


@pytest.mark.parametrize(
    "sql", ["", " -- nothing", "SELECT 1; SELECT 2", "SELECT a FROM t GROUP BY a WITH\nTOTALS"]
)
def test_refused(sql: str) -> None:
    with pytest.raises(ServerError):
        parse_statement(sql)


@given(
    st.lists(
        st.sampled_from(list("'`\"$();,.-/*\\ \n1a"))
        | st.sampled_from(["INSERT", "INTO", "VALUES", "FORMAT", "SELECT", "SETTINGS", "WITH"])
    )
)
def test_any_text_is_a_statement_or_a_clear_error(parts: list[str]) -> None:
    text = "".join(f"{part} " if len(part) > 1 else part for part in parts)
    with suppress(ServerError):
        statement = parse_statement(text)
        assert statement.text
        assert parse_statement(statement.text).text == statement.text or "FORMAT" in text
