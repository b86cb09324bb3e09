"""The functions of the language: their arguments, checked, and what they make.

A new kind of aggregate gets an entry in AGGREGATES and, if it needs other arguments, a function.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from schemas.events import EVENT_TYPES as _EVENTS
from schemas.events.campaign import BROADCAST_TYPES
from schemas.fields import MONEY_DECIMALS
from streams.durations import DAY_MS
from streams.expressions import gathering, lookups
from streams.expressions.month_ends import ENDS, FURTHEST
from streams.expressions.nodes import (
    COMPOSED,
    FLAG,
    WINDOW_DECIMALS,
    Absolute,
    Aggregate,
    And,
    Arithmetic,
    Base,
    Days,
    Default,
    Known,
    Literal,
    MonthEnd,
    Node,
    Reading,
    Rounded,
    Type,
    kept_decimals,
    narrow,
)
from streams.expressions.parse import Duration, EventType, Months, nearest
from streams.expressions.ways import function
from streams.expressions.write import write
from streams.windows import SHORTEST, width_of

if TYPE_CHECKING:
    from streams.expressions.check import Checker

EVENT_TYPES = tuple(_EVENTS)
LONGEST = 1_830 * DAY_MS
MAX_MONTHS = 60
MOST_EVENTS = 10_000
"""That a mean can be asked to rest on: hardly any customer has more."""

AGGREGATES = {
    "count": "count(page.viewed, 30d, where=…)",
    "sum": "sum(base_amount, transfer.completed, 30d, where=…)",
    "avg": "avg(base_amount, transfer.completed, 90d, at_least=5, where=…)",
    "min": "min(base_amount, transfer.completed, 30d, where=…)",
    "max": "max(base_amount, transfer.completed, 30d, where=…)",
    "stddev": "stddev(base_amount, transfer.completed, 90d, at_least=5, where=…)",
    "distinct": "distinct(country, card.settled, 7d, where=…)",
    "first": "first(base_amount, transfer.completed, 30d, where=…)",
    "last": "last(channel, transfer.completed, 30d, where=…)",
    "streak": "streak(logged.in, 7d, without=[transfer.completed, …], where=…)",
}
SHARES = {
    "share": "share(base_amount, card.settled, last 3 months, of=category == '5641', where=…)",
}
PLAIN = {
    "abs": "abs(x)",
    "round": "round(x, 2)",
    "known": "known(x)",
    "default": "default(x, 0)",
}
DAYS = {"days_until": "days_until(matures_on)", "days_since": "days_since(profile.opened_on)"}
MONTH_ENDS = {"month_end": "month_end(base_assets, 3)"}
NAMES = gathering.FORMS | AGGREGATES | SHARES | PLAIN | DAYS | MONTH_ENDS | lookups.FORMS
_AVERAGES = ("avg", "stddev")
_ANY_VALUE = ("distinct", "first", "last")
_NO_VALUE = ("count", "streak")


def check_call(checker: Checker, call: ast.Call) -> Node:
    """Check a call of one of our functions. Raises ExpressionError."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    over_lists = name in AGGREGATES or name in gathering.FORMS
    if over_lists and gathering.is_over_a_list(checker, call, name):
        return gathering.check_gathering(checker, call, name)
    if name in AGGREGATES:
        return _aggregate(checker, call, name)
    if name in SHARES:
        return _share(checker, call)
    if name in lookups.NUMBERS:
        return lookups.check_number(checker, call, name)
    if name in lookups.THINGS:
        raise checker.error(call, f"ask for one of its fields, as in {lookups.FORMS[name]}")
    if name in DAYS:
        return _days(checker, call, name)
    if name in MONTH_ENDS:
        return _month_end(checker, call, name)
    if name not in PLAIN:
        text = checker.parsed.text(call.func)
        other = f": {found}" if (found := function(text)) else nearest(text, NAMES)
        raise checker.error(call, f"there is no function {text}{other}")
    return _plain(checker, call, name)


def _plain(checker: Checker, call: ast.Call, name: str) -> Node:
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
            checker.varies(part, call.args[0])
            if isinstance(part, COMPOSED) or part.type.base is Base.TAGS:
                raise checker.error(call.args[0], "known asks for a value, not a condition")
            return Known(FLAG, part)
        case _:
            return _default(checker, call)


def _days(checker: Checker, call: ast.Call, name: str) -> Days:
    if call.keywords or len(call.args) != 1:
        raise checker.error(call, f"write it as {DAYS[name]}")
    if checker.scope.inside:
        message = "days are counted from the event that is looked at, not inside"
        raise checker.error(call, f"{message} {checker.scope.inside}")
    part = checker.expect(call.args[0], Base.DAY)
    if isinstance(part, Literal):
        checker.a_day(str(part.value), call.args[0])
    return Days(Type(Base.NUMBER, optional=True), name, part)


def _month_end(checker: Checker, call: ast.Call, name: str) -> MonthEnd:
    if call.keywords or len(call.args) != 2 or not isinstance(call.args[0], ast.Name):
        raise checker.error(call, f"write it as {MONTH_ENDS[name]}")
    if checker.scope.inside:
        raise checker.error(call, f"ends of months are not seen inside {checker.scope.inside}")
    total = call.args[0].id
    if total not in ENDS:
        message = f"ends of months are kept of {' and '.join(ENDS)}"
        raise checker.error(call.args[0], f"{message}{nearest(total, ENDS)}")
    ago = checker.expect(call.args[1], Base.NUMBER)
    if not isinstance(ago, Literal) or ago.value not in range(1, FURTHEST + 1):
        raise checker.error(call.args[1], f"so many months ago: 1 … {FURTHEST}")
    kind = Type(Base.NUMBER, optional=True, decimals=MONEY_DECIMALS)
    return MonthEnd(kind, total, int(ago.value))


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
    form = AGGREGATES[name]
    over = _over(checker, call, 0 if name in _NO_VALUE else 1, form)
    options = _options(checker, over, call, name)
    if name == "streak":
        if not options.without:
            raise checker.error(call, f"what breaks the streak? Write it as {form}")
        if isinstance(over.span, Months):
            raise checker.error(call.args[1], "a streak has a length, such as 7d, no months")
    return over.reading(name, options)


def _share(checker: Checker, call: ast.Call) -> Node:
    """What a condition holds for, of all: two aggregates, one divided by the other."""
    form = SHARES["share"]
    over = _over(checker, call, 0 if len(call.args) == 2 else 1, form)
    options = _options(checker, over, call, "share")
    if options.of is None:
        raise checker.error(call, f"of what is it a share? Write it as {form}")
    function = "sum" if over.value else "count"
    part = over.reading(function, replace(options, where=[options.of, *options.where]))
    return Arithmetic(Type(Base.NUMBER, True, None), "/", part, over.reading(function, options))


@dataclass
class _Over:
    """What an aggregate is over: its positional arguments."""

    inside: Checker
    types: tuple[str, ...]
    span: Duration | Months
    value: ast.expr | None

    def reading(self, name: str, options: _Options) -> Reading:
        value = _value(self.inside, self.value, name) if self.value else None
        where = _all(self.inside, options.where)
        span = self.span
        aggregate = Aggregate(
            function=name,
            types=self.types,
            length=span.millis if isinstance(span, Duration) else 0,
            value=value,
            where=where,
            value_text=write(value) if value else "",
            where_text=write(where) if where else "",
            decimals=kept_decimals(value.type) if value else 0,
            prior=options.prior,
            prior_by=options.prior_by,
            at_least=options.at_least,
            months=(span.first, span.last) if isinstance(span, Months) else None,
            without=options.without,
        )
        return Reading(_result(aggregate), aggregate)


def _over(checker: Checker, call: ast.Call, values: int, form: str) -> _Over:
    if checker.scope.inside == "an aggregate":
        raise checker.error(call, "an aggregate does not stand inside another")
    if inside := checker.scope.inside or (checker.scope.listed and "a list's condition"):
        message = f"an aggregate does not stand inside {inside}"
        named = ": give it a name with let" if checker.scope.listed else ""
        raise checker.error(call, message + named)
    if len(call.args) != values + 2:
        raise checker.error(call, f"write it as {form}")
    *value, types, span = call.args
    found = _span(checker, span)
    names = _types(checker, types)
    return _Over(checker.within(names), names, found, value[0] if value else None)


def _all(inside: Checker, where: list[ast.expr]) -> Node | None:
    """Conditions that all hold, each checked at its place."""
    parts = tuple(inside.expect(one, Base.FLAG) for one in where)
    if len(parts) < 2:
        return parts[0] if parts else None
    return And(Type(Base.FLAG, any(one.type.optional for one in parts)), parts)


def _result(aggregate: Aggregate) -> Type:
    """Every aggregate may be unknown: to an event that came too late, all of them are."""
    function, value = aggregate.function, aggregate.value
    if function in ("count", "distinct", "streak"):
        return Type(Base.NUMBER, optional=True)
    if function in ("first", "last") and value and value.type.base is not Base.NUMBER:
        return replace(value.type, optional=True)
    decimals = None if function in _AVERAGES else aggregate.decimals
    return Type(Base.NUMBER, True, decimals)


def _span(checker: Checker, tree: ast.expr) -> Duration | Months:
    match checker.parsed.token(tree):
        case Duration() as length:
            if not SHORTEST <= length.millis <= LONGEST:
                raise checker.error(tree, f"a window is from 1m to {LONGEST // DAY_MS}d long")
            return length
        case Months() as months:
            if not -MAX_MONTHS <= months.first <= months.last <= 0:
                message = f"months go forward, from -{MAX_MONTHS} at most, as in months -6 to -3"
                raise checker.error(tree, message)
            return months
    raise checker.error(tree, "expected a length such as 1h or 30d, or last 3 months")


def _types(checker: Checker, tree: ast.expr) -> tuple[str, ...]:
    several = tree.elts if isinstance(tree, ast.List) and tree.elts else [tree]
    types: dict[str, None] = {}
    for one in several:
        token = checker.parsed.token(one)
        if not isinstance(token, EventType):
            text = checker.parsed.text(one)
            if text in BROADCAST_TYPES:
                told = f"{text} is told to every customer at once: it is not counted"
                raise checker.error(one, told)
            hint = nearest(text, EVENT_TYPES)
            raise checker.error(one, f"expected an event type such as page.viewed{hint}")
        types[token.name] = None
    return tuple(sorted(types))


def _value(inside: Checker, tree: ast.expr, name: str) -> Node:
    value = inside.node(tree)
    inside.varies(value, tree)
    if name not in _ANY_VALUE:
        return inside.fitted(value, Base.NUMBER, tree)
    if value.type.base not in (Base.TEXT, Base.NUMBER, Base.DAY):
        raise inside.error(
            tree, f"expected a text, a day or a number, found {value.type.base.value}"
        )
    return value


@dataclass
class _Options:
    where: list[ast.expr] = field(default_factory=list)
    of: ast.expr | None = None
    prior: bool = False
    prior_by: int = 0
    at_least: int = 0
    without: tuple[str, ...] = ()


def _options(checker: Checker, over: _Over, call: ast.Call, name: str) -> _Options:
    """The keyword arguments."""
    options, inside = _Options(), over.inside
    given: set[str | None] = set()
    for keyword in call.keywords:
        if keyword.arg in given:
            raise checker.error(keyword, f"{keyword.arg} stands twice")
        given.add(keyword.arg)
        if keyword.arg == "where":
            options.where = [keyword.value]
            continue
        if keyword.arg == "of" and name in SHARES:
            options.of = keyword.value
            continue
        if keyword.arg == "without" and name == "streak":
            options.without = _types(checker, keyword.value)
            continue
        if keyword.arg not in ("prior", "at_least"):
            message = f"{keyword.arg} is not known here; write it as {NAMES[name]}"
            raise checker.error(keyword, message)
        token = checker.parsed.token(keyword.value)
        if keyword.arg == "prior" and isinstance(token, Duration):
            options.prior_by = _prior_by(checker, over, keyword.value, token.millis, name)
            continue
        node = inside.node(keyword.value)
        value = node.value if isinstance(node, Literal) else None
        if keyword.arg == "prior":
            if not isinstance(value, bool):
                raise checker.error(keyword.value, "prior is true, or a length such as 1d")
            options.prior = value
        elif name in _AVERAGES and type(value) is int and 0 < value <= MOST_EVENTS:
            options.at_least = value
        else:
            message = f"at_least is from 1 to {MOST_EVENTS:,}, and belongs to avg and stddev"
            raise checker.error(keyword.value, message)
    if name in _AVERAGES and options.at_least < _AVERAGES.index(name) + 1:
        least = "" if name == "avg" else ", two at least"
        raise checker.error(call, f"{name} says how many events it needs{least}, as in at_least=5")
    return options


def _prior_by(checker: Checker, over: _Over, tree: ast.expr, millis: int, name: str) -> int:
    """How much up to the event is left out of a window."""
    if isinstance(over.span, Months) or name == "streak":
        raise checker.error(tree, "prior is true here: a length belongs to a window such as 90d")
    length = over.span.millis
    if not SHORTEST <= millis <= length - 2 * width_of(length):
        raise checker.error(tree, "prior leaves nothing of the window")
    return millis
