"""What can be seen never to be true, whatever happens.

The clauses that have to be true together say what each value may be: constants that it is compared
with, its choices, its range. Where nothing is left, the condition is never true. What is compared
with other values may be anything, and what is unknown is not true anyway.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from streams.expressions.nodes import (
    And,
    Arithmetic,
    Base,
    Compare,
    Let,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
)
from streams.expressions.ranges import Range, RangeOf, resolved
from streams.expressions.write import write

_MOST = 400
"""Clauses that are looked at: a let may stand for a condition that has it twice, and so on."""
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_DENIED = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_LONGEST = 80
_Asked = tuple[Node, bool]
"""A condition, and whether it has to be true or false."""


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
    return _Search(lets, ranges, steps).why((node, is_))


@dataclass
class _Possible:
    """What one value may be."""

    is_whole: bool
    only: set[Any] | None
    low: Any = None
    high: Any = None
    low_is_out: bool = False
    high_is_out: bool = False
    out: set[Any] = field(default_factory=set)
    said: list[str] = field(default_factory=list)

    def narrow(self, operator: str, several: Collection[Any]) -> None:
        """By a comparison with a constant, or with several by == and !=."""
        value = next(iter(several))
        match operator:
            case "==":
                self.only = {*several} if self.only is None else self.only & {*several}
            case "!=":
                self.out |= {*several}
            case "<" | "<=":
                is_out = operator == "<"
                if self.high is None or (value, not is_out) < (self.high, not self.high_is_out):
                    self.high, self.high_is_out = value, is_out
            case _:
                is_out = operator == ">"
                if self.low is None or (value, is_out) > (self.low, self.low_is_out):
                    self.low, self.low_is_out = value, is_out

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

    def why(self, asked: _Asked) -> str:
        values: dict[Node, _Possible] = {}
        either: list[list[_Asked]] = []
        todo = [asked]
        while todo:
            node, is_ = todo.pop()
            self._left -= 1
            if self._left < 0:
                return ""
            match node:
                case Let():
                    todo.append((self._lets[node.name], is_))
                case Not(part=part):
                    todo.append((part, not is_))
                case And(parts=parts) | Or(parts=parts):
                    several = [(part, is_) for part in parts]
                    if isinstance(node, And) is is_:
                        todo += several[::-1]
                    else:
                        either.append(several)
                case _:
                    if reason := self._narrow(values, node, is_):
                        return reason
        for several in either:
            reasons = [self.why(one) for one in several]
            if all(reasons):
                return reasons[0]
        return ""

    def _narrow(self, values: dict[Node, _Possible], node: Node, is_: bool) -> str:
        """Why a clause cannot be so beside those before it."""
        thing, operator, several = self._clause(node)
        thing = resolved(thing, self._lets)
        found, possible = self._ranges(thing), values.get(thing)
        if possible is None:
            possible = values[thing] = _possible(thing, found)
        said = write(node, self._steps)
        possible.said.append(said if is_ else f"not {said}")
        possible.narrow(operator if is_ else _DENIED[operator], several)
        return _reason(possible.said, found) if possible.nothing() else ""

    def _clause(self, node: Node) -> tuple[Node, str, Collection[Any]]:
        """A value, how it is compared, and with what: a constant, or several that it may be equal
        to. Another condition is a value itself, that has to be true."""
        match node:
            case Compare(operator=operator, left=left, right=right):
                one, other = (_constant(side, self._lets) for side in (left, right))
                if other is not None:
                    return left, operator, (other,)
                if one is not None:
                    return right, _FLIPPED.get(operator, operator), (one,)
            case OneOf(value=value, options=options):
                return value, "==", [option.value for option in options]
        return node, "==", (True,)


def _possible(thing: Node, found: Range | None) -> _Possible:
    kind = thing.type
    only: set[Any] | None = {*kind.choices} or None
    if kind.base is Base.FLAG:
        only = {True, False}
    if (constant := _constant(thing, {})) is not None:
        only = {constant}
    is_whole = kind.base is Base.NUMBER and kind.decimals == 0
    low, high = (found.low, found.high) if found else (None, None)
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
