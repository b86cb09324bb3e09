"""Just enough of ClickHouse's lexer to tell what a statement is and where its clauses are.

The engine parses everything itself; this looks only for what the wire changes: which statements
stream, which wait for the client's data, and clauses that belong to the client.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from sinks.local_clickhouse.errors import NOT_IMPLEMENTED, SYNTAX_ERROR, ServerError

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|\#[ !][^\n]*|/\*.*?(?:\*/|\Z))
  | (?P<text>'(?:[^'\\]|\\.|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
  | (?P<name>`(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*")
  | (?P<word>[A-Za-z_]\w*)
  | (?P<mark>\d[\w.]*|.)
    """,
    re.VERBOSE | re.DOTALL,
)
STREAMING = frozenset({"SELECT", "WITH", "FROM"})
SHOWING = frozenset({"SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "CHECK"})


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SQL; `word` is upper case and empty for what cannot be a keyword."""

    text: str
    word: str
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class Insert:
    """An INSERT that waits for data: its table, its columns (None: all) and its SETTINGS clause."""

    table: str
    columns: tuple[str, ...] | None
    column_list: str
    settings: str

    def from_file(self, path: str) -> str:
        """The same insert, reading a file in Native format."""
        head = f"INSERT INTO {self.table} {self.column_list}"
        return f"{head} FROM INFILE {quote(path)} {self.settings} FORMAT Native"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without what belongs to the client; `insert` when it waits for data."""

    text: str
    keyword: str
    insert: Insert | None = None


def quote(text: str) -> str:
    """`text` as an SQL string."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def parse_statement(text: str) -> Statement:
    """Raises `ServerError` for several statements and for clauses that cannot be served."""
    tokens = _tokens(text)
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    if not tokens:
        raise ServerError(SYNTAX_ERROR, "Empty query")
    keyword = next((token.word for token in tokens if token.text != "("), "")
    if keyword == "WITH" and any((t.word, t.depth) == ("INSERT", 0) for t in tokens):
        return Statement(_cut(text, tokens), "INSERT")
    if keyword == "INSERT":
        return Statement(text[tokens[0].start :], keyword, _insert(text, tokens))
    if any(token.text == ";" for token in tokens):
        raise ServerError(SYNTAX_ERROR, "Syntax error: Multi-statements are not allowed")
    _refuse_clauses(tokens)
    return Statement(_without_format(text, tokens), keyword)


def _tokens(text: str) -> list[Token]:
    """All tokens; of an insert only up to one after VALUES, since its rows may be many."""
    tokens: list[Token] = []
    for token in _scan(text):
        tokens.append(token)
        if tokens[0].word == "INSERT" and len(tokens) > 1:
            before = tokens[-2]
            if (before.word, before.depth) == ("VALUES", 0) and token.text != ";":
                break
    return tokens


def _scan(text: str) -> Iterator[Token]:
    depth = 0
    for match in _TOKEN.finditer(text):
        piece = match[0]
        if match.lastgroup == "space":
            continue
        depth -= piece == ")"
        word = piece.upper() if match.lastgroup == "word" else ""
        yield Token(piece, word, match.start(), match.end(), depth)
        depth += piece == "("


def _cut(text: str, tokens: list[Token]) -> str:
    """The source from the first of `tokens` to the last."""
    return text[tokens[0].start : tokens[-1].end] if tokens else ""


def _refuse_clauses(tokens: list[Token]) -> None:
    words = [token.word for token in tokens]
    for first, second in pairwise(words):
        if (first, second) == ("WITH", "TOTALS"):
            raise ServerError(
                NOT_IMPLEMENTED,
                "The local ClickHouse cannot send totals: write WITH ROLLUP or a second query"
                " in place of WITH TOTALS",
            )
        if (first, second) == ("INTO", "OUTFILE"):
            raise ServerError(
                NOT_IMPLEMENTED,
                "INTO OUTFILE is carried out by clickhouse-client, not by a server:"
                " write the rows to the file in your own program",
            )


def _without_format(text: str, tokens: list[Token]) -> str:
    """The statement without its FORMAT clause, which over this protocol is the client's."""
    for place in range(len(tokens) - 1, 0, -1):
        if (tokens[place - 1].word, tokens[place - 1].depth) == ("FORMAT", 0) and place > 1:
            rest = tokens[place + 1 :]
            if tokens[place].word and (not rest or rest[0].word == "SETTINGS"):
                return f"{_cut(text, tokens[: place - 1])} {_cut(text, rest)}".rstrip()
    return _cut(text, tokens)


def _insert(text: str, tokens: list[Token]) -> Insert | None:
    """The parts of an insert whose data the client sends; None when the statement has its own."""
    body = tokens[1:]
    for optional in ("INTO", "TABLE"):
        if body and body[0].word == optional:
            body = body[1:]
    is_function = bool(body) and body[0].word == "FUNCTION"
    end = _table_end(body, is_function)
    table, body = body[:end], body[end:]
    columns: list[Token] = []
    if body and body[0].text == "(":
        close = next((i for i, t in enumerate(body) if t.text == ")" and not t.depth), len(body))
        columns, body = body[: close + 1], body[close + 1 :]
    settings = _until(body, ("VALUES", "FORMAT", "SELECT", "WITH", "FROM"))
    body = body[len(settings) :]
    if [t.word for t in body[:2]] == ["FROM", "INFILE"]:
        raise ServerError(
            NOT_IMPLEMENTED,
            "FROM INFILE is carried out by clickhouse-client, not by a server: use the table"
            " function file() or send the rows",
        )
    is_waiting = [t.word for t in body] == ["VALUES"] or (
        len(body) == 2 and body[0].word == "FORMAT"
    )
    if not (is_waiting and table):
        return None
    return Insert(_cut(text, table), _names(columns), _cut(text, columns), _cut(text, settings))


def _table_end(tokens: list[Token], is_function: bool) -> int:
    """Where the table's name, or the table function with its arguments, ends."""
    if is_function:
        close = (i for i, t in enumerate(tokens) if t.text == ")" and not t.depth)
        return next(close, len(tokens) - 1) + 1
    end = 1
    while end + 1 < len(tokens) and tokens[end].text == ".":
        end += 2
    return end


def _until(tokens: list[Token], words: tuple[str, ...]) -> list[Token]:
    end = next((i for i, t in enumerate(tokens) if not t.depth and t.word in words), len(tokens))
    return tokens[:end]


def _names(tokens: list[Token]) -> tuple[str, ...] | None:
    """The columns in a list such as "(a, `b c`, n.d)"; None without a list.

    Raises `ServerError` for patterns such as `* EXCEPT(a)`.
    """
    if not tokens:
        return None
    names, part = [], ""
    for token in tokens[1:]:
        if token.text == "," or token is tokens[-1]:
            names.append(part)
            part = ""
        elif token.word or token.text[0] in '`".' or token.text.isalnum():
            part += _unquote(token.text)
        else:
            raise ServerError(
                NOT_IMPLEMENTED,
                "The local ClickHouse needs the columns of an INSERT by name, or no list at all",
            )
    return tuple(name for name in names if name)


def _unquote(name: str) -> str:
    quote = name[0]
    if quote not in '`"':
        return name
    return re.sub(r"\\(.)|" + quote * 2, lambda m: m[1] or quote, name[1:-1])
