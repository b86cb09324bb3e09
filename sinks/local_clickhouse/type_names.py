"""Type names as a tree: `Array(LowCardinality(Nullable(String)))` parsed without trusting it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sinks.local_clickhouse.errors import ProtocolError

MAX_DEPTH = 32

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^'\\]|\\.|'')*')
      | (?P<quoted>`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*")
      | (?P<word>-?[\w.]+)
      | (?P<mark>[(),=])
    )""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class TypeName:
    """`name(args)`; an argument is a type, or a literal as it was written (a type without args)."""

    name: str
    args: tuple[TypeName, ...] = ()


def parse_type(text: str) -> TypeName:
    """The tree of a type name.

    An argument's own name (of a tuple's element) is dropped, an enum's pairs become literals.
    Raises `ProtocolError` for text that is not a type name.
    """
    tokens = _tokens(text)
    tree, at = _parse(tokens, 0, 0)
    if at != len(tokens):
        raise ProtocolError("a type name goes on after its end")
    return tree


def _tokens(text: str) -> list[str]:
    tokens, at, text = [], 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ProtocolError("a type name that cannot be parsed")
        tokens.append(match[0].strip())
        at = match.end()
    return tokens


def _parse(tokens: list[str], at: int, depth: int) -> tuple[TypeName, int]:
    """One argument beginning at `at`: words up to a comma or bracket, the last one counts."""
    if depth > MAX_DEPTH:
        raise ProtocolError(f"a type nested deeper than {MAX_DEPTH}")
    start = at
    while at < len(tokens) and tokens[at] not in "(),":
        at += 1
    if at == start:
        raise ProtocolError("a type name with an empty part")
    name = tokens[at - 1]
    if at == len(tokens) or tokens[at] != "(":
        return TypeName(name), at
    args, at = [], at + 1
    while True:
        arg, at = _parse(tokens, at, depth + 1)
        args.append(arg)
        if at == len(tokens):
            raise ProtocolError("a type name without its closing bracket")
        at += 1
        if tokens[at - 1] == ")":
            return TypeName(name, tuple(args)), at
        if tokens[at - 1] != ",":
            raise ProtocolError("a type name with a bracket out of place")
