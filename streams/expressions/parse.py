"""From an expression's text to Python's syntax tree, with every column as it was written.

Durations (30d), months (last 3 months) and event types (logged.in) are no Python: each is replaced
by a name of the same width before parsing, and found again by its column.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NamedTuple
from unicodedata import normalize
from warnings import catch_warnings, simplefilter

from schemas.events import EVENT_TYPES
from streams.durations import parse_duration
from streams.expressions.hints import Hint, day, hint, thousands

MAX_LENGTH = 2_000
MAX_DEPTH = 25
MAX_NODES = 300


class ExpressionError(Exception):
    """What is wrong with an expression, and where: `column` counts from 1 in its text."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.beside: list[ExpressionError] = []
        """What is wrong in other parts of the expression."""

    def each(self) -> Iterator["ExpressionError"]:
        """Everything that is wrong and not told elsewhere."""
        if not isinstance(self, BrokenNameError):
            yield self
        for one in self.beside:
            yield from one.each()


class BrokenNameError(ExpressionError):
    """It uses what is wrong itself, which is told there."""


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean x?` if there is a name like it."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


class Duration(NamedTuple):
    text: str
    millis: int


class Months(NamedTuple):
    """Calendar months, counted from the event's own: 0 is that, -1 the one before."""

    text: str
    first: int
    last: int


class EventType(NamedTuple):
    name: str


Token = Duration | Months | EventType


@dataclass(frozen=True)
class Parsed:
    tree: ast.expr
    source: str
    """One line, tokens replaced, of the length of the text."""
    tokens: dict[int, Token] = field(default_factory=dict)
    """Column → what was replaced there."""

    def column(self, node: ast.AST) -> int:
        """Where a node begins, counted from 1 in characters (Python counts bytes)."""
        before = self.source.encode()[: getattr(node, "col_offset", 0)]
        return len(before.decode(errors="ignore")) + 1

    def text(self, node: ast.expr) -> str:
        """A node as it is written."""
        return self.source.encode()[node.col_offset : node.end_col_offset].decode()

    def token(self, node: ast.AST) -> Token | None:
        return self.tokens.get(self.column(node)) if isinstance(node, ast.Name) else None


_STAND_IN = "\u00f8"
_TYPES = "|".join(re.escape(name) for name in sorted(EVENT_TYPES, key=len, reverse=True))
_TEXT = r"""'[^'\\\n]*'|"[^"\\\n]*\""""
TEXT_IN_QUOTES = re.compile(_TEXT)
_SCAN = re.compile(
    rf"""(?P<text>{_TEXT})
    |(?P<type>(?<![\w.])(?:{_TYPES})(?![\w.]))
    |(?P<duration>(?<![\w.])[0-9]{{1,5}}[smhdw](?!\w))
    |(?P<months>(?<![\w.])(?:this\s+month|last\s+(?:month|[0-9]{{1,2}}\s+months)
        |months\s+-[0-9]{{1,2}}\s+to\s+(?:-[0-9]{{1,2}}|0))(?!\w))
    |(?P<space>\s)
    |(?P<symbol>&&|\|\||<>|[\#\\$])
    |(?P<foreign>[^\x00-\x7f])""",
    re.VERBOSE,
)
_OF_DIGITS = ("leading zeros", "positional argument follows")
_MONEY = "write an amount alone, as in 500_000: base_amount is in the bank's currency"
_SYMBOLS = {
    "$": _MONEY,
    "&&": "write and",
    "||": "write or",
    "<>": "write !=",
    "#": "a comment does not belong in an expression",
    "\\": "a backslash does not belong in an expression",
}


def parse(text: str) -> Parsed:
    """Parse one expression. Raises ExpressionError; knows nothing of names and types yet."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"the expression has {len(text)} characters, at most {MAX_LENGTH} are taken", 1
        )
    source, tokens = _replace(text)
    indent = len(source) - len(source.lstrip())
    try:
        with catch_warnings():
            simplefilter("ignore", SyntaxWarning)  # of `3and`, which reads as it is meant
            tree = ast.parse(source[indent:] if indent else source, mode="eval").body
    except SyntaxError as error:
        offset = error.offset if error.lineno == 1 and error.offset else len(text)
        column = max(1, min(offset + indent, len(text)))
        raise _no_expression(error, source, column) from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionError("this is not an expression", 1) from None
    if indent:
        for node in ast.walk(tree):
            if isinstance(node, ast.expr | ast.keyword):
                node.col_offset += indent
                node.end_col_offset = (node.end_col_offset or 0) + indent
    parsed = Parsed(tree, source, tokens)
    if isinstance(tree, ast.Tuple) and (found := thousands(_without_texts(source))):
        raise ExpressionError(f"this is not an expression: {found.message}", found.column)
    _bound(parsed)
    return parsed


def _no_expression(error: SyntaxError, source: str, column: int) -> ExpressionError:
    plain = _without_texts(source)
    if error.msg.startswith(_OF_DIGITS):
        found = thousands(plain) or day(plain)
    else:
        found = hint(plain, column)
    message = error.msg.replace(_STAND_IN, "…").replace(" or ':='", "")
    message = message.removesuffix(" Perhaps you forgot a comma?").rstrip(".")
    found = found or Hint(column, message)
    return ExpressionError(f"this is not an expression: {found.message}", found.column)


def _without_texts(source: str) -> str:
    """Of the same width."""
    return TEXT_IN_QUOTES.sub(lambda text: "'" * len(text[0]), source)


def _replace(text: str) -> tuple[str, dict[int, Token]]:
    tokens: dict[int, Token] = {}

    def stand_in(match: re.Match[str]) -> str:
        found, column = match[0], match.start() + 1
        match match.lastgroup:
            case "text":
                return found
            case "space":
                return " "
            case "type":
                tokens[column] = EventType(found)
            case "duration":
                tokens[column] = Duration(found, parse_duration(found))
            case "months":
                tokens[column] = _months(found)
            case "symbol":
                raise ExpressionError(_SYMBOLS[found], column)
            case _:
                raise ExpressionError(_foreign(text[match.start() :]), column)
        return _STAND_IN * len(found)

    return _SCAN.sub(stand_in, text), tokens


_CHINESE = {
    **dict.fromkeys(("且", "并且", "而且", "和", "与", "以及"), "and"),
    **dict.fromkeys(("或", "或者"), "or"),
    **dict.fromkeys(("非", "不"), "not"),
    **dict.fromkeys(("大于", "超过", "多于"), ">"),
    **dict.fromkeys(("小于", "低于", "少于"), "<"),
    **dict.fromkeys(("大于等于", "不小于", "不低于", "不少于"), ">="),
    **dict.fromkeys(("小于等于", "不大于", "不超过", "不多于"), "<="),
    **dict.fromkeys(("等于", "是"), "=="),
    **dict.fromkeys(("不等于", "不是"), "!="),
}
_MATHEMATICS = {"≥": ">=", "≤": "<=", "≠": "!=", "×": "*", "÷": "/", "−": "-"}
_WORD = re.compile("[\u4e00-\u9fff]+")


def _foreign(text: str) -> str:
    """What to write in place of the character that a text begins with, such as Chinese keyboards
    have."""
    found, word = text[0], _WORD.match(text)
    if word is not None and word[0] in _CHINESE:
        return f"write {_CHINESE[word[0]]} for {word[0]}"
    if found in "¥￥€£":
        return _MONEY
    said = "only a text in quotes may hold such a character"
    if found in _MATHEMATICS:
        return f"write {_MATHEMATICS[found]} for {found}"
    plain = "'" if found in "\u2018\u2019\u201c\u201d" else normalize("NFKC", found)
    if plain != found and plain.isascii() and plain.strip():
        return f"{said}; write {plain}"
    return f"{said}; write numbers in full, as in 5_000_000" if found in "万亿" else said


def _months(text: str) -> Months:
    match text.split():
        case ["this", _]:
            return Months(text, 0, 0)
        case ["last", "month"]:
            return Months(text, -1, -1)
        case ["last", number, _]:
            return Months(text, -int(number), -1)
        case [_, first, _, last]:
            return Months(text, int(first), int(last))
    raise AssertionError(f"{text} was found by the pattern")


def _bound(parsed: Parsed) -> None:
    """Refuse what is too large or too deep, without recursion."""
    level, depth, count = [parsed.tree], 0, 0
    while level:
        calls = (node for node in level if isinstance(node, ast.Call))
        for keyword in (one for call in calls for one in call.keywords):
            if keyword.arg is None:
                message = "** is not part of the language of rules"
                raise ExpressionError(message, parsed.column(keyword))
        depth, count = depth + 1, count + len(level)
        if depth > MAX_DEPTH or count > MAX_NODES:
            raise ExpressionError(
                "the expression is too large: move a part of it to a let", parsed.column(level[0])
            )
        level = [
            child for node in level for child in _children(node) if isinstance(child, ast.expr)
        ]


def _children(node: ast.expr) -> list[ast.AST]:
    below: list[ast.AST] = []
    for child in ast.iter_child_nodes(node):
        below += [child.value] if isinstance(child, ast.keyword) else [child]
    return below
