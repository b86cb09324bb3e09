"""What can be seen never to be true, whatever happens.

The clauses that have to be true together say what each value may be: constants that it is compared
with, its choices, its range; of two values that are compared, how they stand to each other. Where
nothing is left, the condition is never true. What is unknown is not true anyway.

A clause that only must not be true (`unless`) says nothing of a value that may be unknown, unless
another clause needs that value known.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, NamedTuple

from streams.expressions.nodes import (
    And,
    Arithmetic,
    Base,
    Clock,
    Compare,
    EventField,
    Holds,
    Known,
    Let,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
    ProfileField,
)
from streams.expressions.ranges import Range, RangeOf, resolved
from streams.expressions.write import write

_MOST = 400
"""Clauses that are looked at: a let may stand for a condition that has it twice, and so on."""
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_DENIED = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_LONGEST = 80


class _Asked(NamedTuple):
    """A condition that has to be true, or false."""

    node: Node
    is_: bool = True
    is_known: bool = True
    """Else it may be unknown as well."""


class _Between(NamedTuple):
    """How two values stand to each other, as if one were subtracted from the other."""

    one: Node
    other: Node


_Thing = Node | _Between


def never(
    node: Node,
    lets: Mapping[str, Node],
    ranges: RangeOf,
    steps: Sequence[str] = (),
    *,
    is_: bool = True,
) -> str:
    """Why a condition is never true (or never false); empty where that is not seen. `steps` are the
    names of a sequence's steps."""
    return _Search(lets, ranges, steps).why(_Asked(node, is_), {})


@dataclass(frozen=True)
class _Possible:
    """What one value may be."""

    is_whole: bool
    only: frozenset[Any] | None
    low: Any = None
    high: Any = None
    low_is_out: bool = False
    high_is_out: bool = False
    out: frozenset[Any] = frozenset()
    said: tuple[str, ...] = ()

    def narrowed(self, operator: str, several: Collection[Any], said: str) -> "_Possible":
        """By a comparison with a constant, or with several by == and !=."""
        value, told = next(iter(several)), replace(self, said=(*self.said, said))
        match operator:
            case "==":
                only = frozenset(several)
                return replace(told, only=only if self.only is None else self.only & only)
            case "!=":
                return replace(told, out=self.out | {*several})
            case "<" | "<=":
                is_out = operator == "<"
                if self.high is None or (value, not is_out) < (self.high, not self.high_is_out):
                    return replace(told, high=value, high_is_out=is_out)
            case _:
                is_out = operator == ">"
                if self.low is None or (value, is_out) > (self.low, self.low_is_out):
                    return replace(told, low=value, low_is_out=is_out)
        return told

    def nothing(self) -> bool:
        """Whether there is nothing left."""
        if self.only is not None:
            return not any(self._may_be(one) for one in self.only)
        if self.low is None or self.high is None:
            return False
        if not self.is_whole:
            only_one = self.low == self.high
            is_out = self.low_is_out or self.high_is_out or self.low in self.out
            return bool(self.low > self.high) or (only_one and is_out)
        low, high = _whole(self.low, ROUND_CEILING), _whole(self.high, ROUND_FLOOR)
        low += self.low_is_out and low == self.low
        high -= self.high_is_out and high == self.high
        few = high - low < len(self.out)
        return low > high or (few and all(one in self.out for one in range(low, high + 1)))

    def _may_be(self, one: Any) -> bool:
        if one in self.out or (self.is_whole and one != _whole(one, ROUND_FLOOR)):
            return False
        above = self.low is None or one > self.low or (one == self.low and not self.low_is_out)
        below = self.high is None or one < self.high or (one == self.high and not self.high_is_out)
        return above and below


def _whole(value: Any, rounding: str) -> int:
    return int(Decimal(value).to_integral_value(rounding))


class _Search:
    def __init__(self, lets: Mapping[str, Node], ranges: RangeOf, steps: Sequence[str]) -> None:
        self._lets, self._ranges, self._steps = lets, ranges, steps
        self._left = _MOST

    def why(self, asked: _Asked, before: Mapping[_Thing, _Possible]) -> str:
        """`before` is what values may be by other clauses that have to be true."""
        values = dict(before)
        either: list[list[_Asked]] = []
        later: list[_Asked] = []
        todo = [asked]
        while todo:
            one = todo.pop()
            self._left -= 1
            if self._left < 0:
                return ""
            match one.node:
                case Let() | Not() | Holds():
                    todo.append(self._below(one))
                case And(parts=parts) | Or(parts=parts):
                    several = [one._replace(node=part) for part in parts]
                    if isinstance(one.node, And) is one.is_:
                        todo += several[::-1]
                    else:
                        either.append(several)
                case _ if not one.is_known:
                    later.append(one)
                case _:
                    if reason := self._narrow(values, one):
                        return reason
        for one in later:
            if reason := self._narrow(values, one):
                return reason
        for several in either:
            reasons = [self.why(one, values) for one in several]
            if all(reasons):
                return reasons[0]
        return ""

    def _below(self, asked: _Asked) -> _Asked:
        """What has to be so that a condition about another one is."""
        match asked.node:
            case Let(name=name):
                return asked._replace(node=self._lets[name])
            case Not(part=part):
                return asked._replace(node=part, is_=not asked.is_)
            case Holds(part=part):
                return _Asked(part, asked.is_, is_known=asked.is_)
        return asked

    def _narrow(self, values: dict[_Thing, _Possible], asked: _Asked) -> str:
        """Why a clause cannot be so beside those before it."""
        thing, operator, several = self._clause(asked.node)
        if not asked.is_known and thing not in values and not _is_always_known(thing):
            return ""
        found = self._ranges(_subtracted(thing))
        said = write(asked.node, self._steps)
        possible = (values.get(thing) or _possible(thing, found)).narrowed(
            operator if asked.is_ else _DENIED[operator],
            several,
            said if asked.is_ else f"not {said}",
        )
        values[thing] = possible
        return _reason(possible.said, found) if possible.nothing() else ""

    def _clause(self, node: Node) -> tuple[_Thing, str, Collection[Any]]:
        """A value, how it is compared, and with what: a constant, or several that it may be equal
        to. Another condition is a value itself, that has to be true."""
        match node:
            case Compare(operator=operator, left=left, right=right):
                return self._compared(resolved(left, self._lets), operator, right)
            case OneOf(value=value, options=options):
                return resolved(value, self._lets), "==", [option.value for option in options]
        return node, "==", (True,)

    def _compared(
        self, left: Node, operator: str, right: Node
    ) -> tuple[_Thing, str, Collection[Any]]:
        right = resolved(right, self._lets)
        flipped = _FLIPPED.get(operator, operator)
        if (constant := _constant(right, self._lets)) is not None:
            return left, operator, (constant,)
        if (constant := _constant(left, self._lets)) is not None:
            return right, flipped, (constant,)
        if write(right, self._steps) < write(left, self._steps):
            return _Between(right, left), flipped, (0,)
        return _Between(left, right), operator, (0,)


def _is_always_known(thing: _Thing) -> bool:
    match thing:
        case EventField() | ProfileField() | Clock() | Known() | Literal():
            return not thing.type.optional
    return False


def _subtracted(thing: _Thing) -> Node:
    if isinstance(thing, Node):
        return thing
    return Arithmetic(thing.one.type, "-", thing.one, thing.other)


def _possible(thing: _Thing, found: Range | None) -> _Possible:
    low, high = (found.low, found.high) if found else (None, None)
    if isinstance(thing, _Between):
        alike = frozenset([0]) if thing.one == thing.other else None
        return _Possible(is_whole=False, only=alike, low=low, high=high)
    kind = thing.type
    only: frozenset[Any] | None = frozenset(kind.choices) or None
    if kind.base is Base.FLAG:
        only = frozenset([True, False])
    if (constant := _constant(thing, {})) is not None:
        only = frozenset([constant])
    is_whole = kind.base is Base.NUMBER and kind.decimals == 0
    return _Possible(is_whole, only, low, high)


def _constant(node: Node, lets: Mapping[str, Node]) -> Any:
    """The value of a number or a text that stands there; None is no constant."""
    node = resolved(node, lets)
    match node:
        case Literal():
            return node.value
        case Arithmetic(operator="-", left=Literal(value=0), right=Literal(value=value)):
            return -value if not isinstance(value, str) else None
    return None


def _reason(said: Sequence[str], found: Range | None) -> str:
    if len(said) == 1:
        return found.why if found else _short(said[0])
    return f"{' and '.join(map(_short, said))} exclude each other"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
