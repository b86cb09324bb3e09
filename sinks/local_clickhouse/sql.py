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
    """An INSERT that waits for data: its table, its columns as written, its SETTINGS clause."""

    table: str
    column_list: str
    settings: str

    format: str

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The columns by name; None: all. Raises `ServerError` for patterns."""
        return _names(list(_scan(self.column_list)))

    def from_file(self, path: str, file_format: str = "Native") -> str:
        """The same insert, reading a file."""
        head = f"INSERT INTO {self.table} {self.column_list}"
        return f"{head} FROM INFILE {quote(path)} {self.settings} FORMAT {file_format}"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without what belongs to the client; `insert` when it waits for data."""

    text: str
    keyword: str
    insert: Insert | None = None
    format: str = ""
    """What its FORMAT clause says; empty without one."""


def quote(text: str) -> str:
    """`text` as an SQL string."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def parse_statement(text: str, *, has_totals: bool = False) -> Statement:
    """Raises `ServerError` for several statements and for clauses that cannot be served.

    `has_totals`: a result may have totals, as it may in most formats but not in native blocks.
    """
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
    _refuse_clauses(tokens, has_totals)
    return _without_format(text, tokens, keyword)


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


def _refuse_clauses(tokens: list[Token], has_totals: bool) -> None:
    words = [token.word for token in tokens]
    for first, second in pairwise(words):
        if (first, second) == ("WITH", "TOTALS") and not has_totals:
            raise ServerError(
                NOT_IMPLEMENTED,
                "The local ClickHouse cannot send totals: write WITH ROLLUP or a second query"
                " in place of WITH TOTALS",
            )
        if (first, second) in (("SYSTEM", "SHUTDOWN"), ("SYSTEM", "KILL")):
            # The engine would signal our whole process group, whoever else is in it.
            raise ServerError(
                NOT_IMPLEMENTED,
                f"The local ClickHouse is not ended by SYSTEM {second}: press Ctrl-C where it runs,"
                " or send its process SIGTERM",
            )
        if (first, second) == ("INTO", "OUTFILE"):
            raise ServerError(
                NOT_IMPLEMENTED,
                "INTO OUTFILE is carried out by clickhouse-client, not by a server:"
                " write the rows to the file in your own program",
            )


def _without_format(text: str, tokens: list[Token], keyword: str) -> Statement:
    """The statement without its FORMAT clause, which is for the client or for HTTP."""
    for place in range(len(tokens) - 1, 1, -1):
        if (tokens[place - 1].word, tokens[place - 1].depth) == ("FORMAT", 0):
            rest = tokens[place + 1 :]
            if tokens[place].word and (not rest or rest[0].word == "SETTINGS"):
                kept = f"{_cut(text, tokens[: place - 1])} {_cut(text, rest)}".rstrip()
                return Statement(kept, keyword, None, tokens[place].text)
    return Statement(_cut(text, tokens), keyword)


def end_of_insert(text: str) -> int | None:
    """Where an INSERT ends whose rows follow in the text; None for any other statement.

    Reads no further than that, so what follows may be anything.
    """
    tokens: list[Token] = []
    for token in _scan(text):
        tokens.append(token)
        if tokens[0].word != "INSERT":
            return None
        if len(tokens) < 3 or token.depth:
            continue
        if token.word in ("SELECT", "WITH", "FROM"):
            return None
        if token.word == "VALUES":
            return token.end
        if tokens[-2].word == "FORMAT" and token.word and len(tokens) > 3:
            return token.end
    return None


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
    return Insert(
        _cut(text, table),
        _cut(text, columns),
        _cut(text, settings),
        body[-1].text,
    )


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
