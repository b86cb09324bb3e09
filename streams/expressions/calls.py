"""The functions of the language: their arguments, checked, and what they make.

A new kind of aggregate gets an entry in AGGREGATES and, if it needs other arguments, a function.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.events import EVENT_TYPES as _EVENTS
from streams.durations import DAY_MS
from streams.expressions.nodes import (
    COMPOSED,
    FLAG,
    Absolute,
    Aggregate,
    Base,
    Default,
    Known,
    Literal,
    Node,
    Reading,
    Rounded,
    Type,
    narrow,
)
from streams.expressions.parse import Duration, EventType, nearest
from streams.windows import SHORTEST

if TYPE_CHECKING:
    from streams.expressions.check import Checker

EVENT_TYPES = tuple(_EVENTS)
LONGEST = 1_830 * DAY_MS
WINDOW_DECIMALS = 8
"""What a window keeps of a number whose decimals are not known."""

AGGREGATES = {
    "count": "count(page.viewed, 30d, where=…)",
    "sum": "sum(base_amount, transfer.completed, 30d, where=…)",
    "avg": "avg(base_amount, transfer.completed, 90d, at_least=5, where=…)",
    "min": "min(base_amount, transfer.completed, 30d, where=…)",
    "max": "max(base_amount, transfer.completed, 30d, where=…)",
    "distinct": "distinct(country, card.settled, 7d, where=…)",
}
PLAIN = {
    "abs": "abs(x)",
    "round": "round(x, 2)",
    "known": "known(x)",
    "default": "default(x, 0)",
}
NAMES = AGGREGATES | PLAIN


def check_call(checker: Checker, call: ast.Call) -> Node:
    """Check a call of one of our functions. Raises ExpressionError."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name in AGGREGATES:
        return _aggregate(checker, call, name)
    if name not in PLAIN:
        text = checker.parsed.text(call.func)
        raise checker.error(call, f"there is no function {text}{nearest(text, NAMES)}")
    if call.keywords or len(call.args) != (2 if name in ("round", "default") else 1):
        raise checker.error(call, f"write it as {PLAIN[name]}")
    match name:
        case "abs":
            part = checker.expect(call.args[0], Base.NUMBER)
            return Absolute(part.type, part)
        case "round":
            return _round(checker, call)
        case "known":
            part = checker.node(call.args[0])
            if isinstance(part, COMPOSED) or part.type.base is Base.TAGS:
                raise checker.error(call.args[0], "known asks for a value, not a condition")
            return Known(FLAG, part)
        case _:
            return _default(checker, call)


def _round(checker: Checker, call: ast.Call) -> Node:
    part = checker.expect(call.args[0], Base.NUMBER)
    digits = checker.node(call.args[1])
    if not isinstance(digits, Literal) or digits.value not in range(WINDOW_DECIMALS + 1):
        raise checker.error(call.args[1], f"round to 0 … {WINDOW_DECIMALS} decimals")
    decimals = int(digits.value)
    return Rounded(Type(Base.NUMBER, part.type.optional, decimals), part, decimals)


def _default(checker: Checker, call: ast.Call) -> Node:
    otherwise = checker.node(call.args[1])
    part = narrow(checker.node(call.args[0]), otherwise.type.base)
    if isinstance(part, COMPOSED) or isinstance(otherwise, COMPOSED):
        raise checker.error(call, "default fills in a value, not a condition")
    if part.type.base is not otherwise.type.base or part.type.base in (Base.TAGS, Base.TEXTS):
        raise checker.error(
            call.args[1], f"expected {part.type.base.value}, found {otherwise.type.base.value}"
        )
    one, other = part.type.decimals, otherwise.type.decimals
    decimals = None if one is None or other is None else max(one, other)
    return Default(Type(part.type.base, otherwise.type.optional, decimals), part, otherwise)


def _aggregate(checker: Checker, call: ast.Call, name: str) -> Reading:
    if checker.scope.aggregate:
        raise checker.error(call, "an aggregate does not stand inside another")
    arguments = list(call.args)
    if len(arguments) != (2 if name == "count" else 3):
        raise checker.error(call, f"write it as {AGGREGATES[name]}")
    length = _length(checker, arguments.pop())
    types = _types(checker, arguments.pop())
    inside = checker.within(types)
    value = _value(inside, arguments[0], name) if arguments else None
    options = _options(checker, inside, call, name)
    decimals = value.type.decimals if value else 0
    aggregate = Aggregate(
        function=name,
        types=types,
        length=length,
        value=value,
        where=inside.expect(options.where, Base.FLAG) if options.where else None,
        value_text=ast.unparse(arguments[0]) if arguments else "",
        where_text=ast.unparse(options.where) if options.where else "",
        decimals=WINDOW_DECIMALS if decimals is None else decimals,
        prior=options.prior,
        at_least=options.at_least,
    )
    return Reading(_result(aggregate), aggregate)


def _result(aggregate: Aggregate) -> Type:
    """Every aggregate may be unknown: to an event that came too late, all of them are."""
    if aggregate.function in ("count", "distinct"):
        return Type(Base.NUMBER, optional=True)
    decimals = None if aggregate.function == "avg" else aggregate.decimals
    return Type(Base.NUMBER, True, decimals)


def _length(checker: Checker, tree: ast.expr) -> int:
    token = checker.parsed.token(tree)
    if not isinstance(token, Duration):
        raise checker.error(tree, "expected a length such as 1h or 30d")
    if not SHORTEST <= token.millis <= LONGEST:
        raise checker.error(tree, f"a window is from 1m to {LONGEST // DAY_MS}d long")
    return token.millis


def _types(checker: Checker, tree: ast.expr) -> tuple[str, ...]:
    several = tree.elts if isinstance(tree, ast.List) and tree.elts else [tree]
    types: dict[str, None] = {}
    for one in several:
        token = checker.parsed.token(one)
        if not isinstance(token, EventType):
            hint = nearest(checker.parsed.text(one), EVENT_TYPES)
            raise checker.error(one, f"expected an event type such as page.viewed{hint}")
        types[token.name] = None
    return tuple(sorted(types))


def _value(inside: Checker, tree: ast.expr, name: str) -> Node:
    if name != "distinct":
        return inside.expect(tree, Base.NUMBER)
    value = inside.node(tree)
    if value.type.base not in (Base.TEXT, Base.NUMBER, Base.DAY):
        raise inside.error(
            tree, f"expected a text, a day or a number, found {value.type.base.value}"
        )
    return value


@dataclass
class _Options:
    where: ast.expr | None = None
    prior: bool = False
    at_least: int = 0


def _options(checker: Checker, inside: Checker, call: ast.Call, name: str) -> _Options:
    """The keyword arguments."""
    options = _Options()
    for keyword in call.keywords:
        if keyword.arg == "where":
            options.where = keyword.value
            continue
        if keyword.arg not in ("prior", "at_least"):
            message = f"{keyword.arg} is not known here; write it as {AGGREGATES[name]}"
            raise checker.error(keyword, message)
        node = inside.node(keyword.value)
        value = node.value if isinstance(node, Literal) else None
        if keyword.arg == "prior":
            if not isinstance(value, bool):
                raise checker.error(keyword.value, "prior is true or false")
            options.prior = value
        elif name == "avg" and type(value) is int and value > 0:
            options.at_least = value
        else:
            message = "at_least is a whole number above zero, and belongs to avg"
            raise checker.error(keyword.value, message)
    if name == "avg" and not options.at_least:
        raise checker.error(call, "a mean says how many events it needs, as in at_least=5")
    return options
