"""What an expression that is right says and hardly can mean: what is never true, or always, and
codes that nobody has."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.fields import COUNTRY
from streams.expressions.check import Checker
from streams.expressions.never import never
from streams.expressions.nodes import (
    FLAG,
    Aggregate,
    And,
    Arithmetic,
    Base,
    Compare,
    EventField,
    FactField,
    Literal,
    Node,
    OneOf,
    Reading,
    Type,
    walk,
)
from streams.expressions.parse import parse
from streams.expressions.ranges import RangeOf, Waited, known_ranges, usual_ranges
from streams.expressions.scope import Scope

_MIXED = (
    "amounts in different currencies are taken together: base_amount is in the bank's own, or ask "
    "for one, as in where=currency == 'USD'"
)


class Doubt(NamedTuple):
    column: int
    """From 1 in the text."""
    message: str
    is_certain: bool
    """It cannot be; else it is legal, and hardly meant."""


class Codes(NamedTuple):
    """The codes of ISO 3166-1 and ISO 4217. They change from year to year, so others are in doubt
    alone."""

    countries: frozenset[str]
    currencies: frozenset[str]


class Known(NamedTuple):
    """What expressions are looked at with."""

    lets: Mapping[str, Node]
    counted: frozenset[str]
    """Of the types of the event that is looked at, if windows have counted it."""
    codes: Codes
    waited: Waited | None = None

    def ranges(self) -> RangeOf:
        """What values always are, of this event."""
        return known_ranges(self.lets, self.counted, self.waited)

    def usual(self) -> RangeOf:
        """What they are meant to be."""
        return usual_ranges(self.ranges(), self.lets, self.counted)


def doubts(text: str, scope: Scope, known: Known) -> list[Doubt]:
    """Of an expression that was checked, from left to right."""
    parsed = parse(text)
    doubter = Doubter(parsed, scope, known)
    node = doubter.node(parsed.tree)
    if node == Literal(FLAG, value=False):
        doubter.told.append(Doubt(1, "this is never true", is_certain=True))
    return sorted({*doubter.told})  # what stands between two comparisons is looked at twice


@dataclass(frozen=True)
class Doubter(Checker):
    """Checks an expression anew, and notes what is in doubt."""

    known: Known
    told: list[Doubt] = field(default_factory=list)

    def node(self, tree: ast.expr) -> Node:
        node = super().node(tree)
        match node:
            case FactField(function="fx", key=Literal(value=str() as code)):
                self._code("currency", code, tree.args[0] if isinstance(tree, ast.Call) else tree)
            case Reading(aggregate=one) if _mixes_currencies(one):
                self._tell(tree, _MIXED)
            case Arithmetic(left=Reading(aggregate=one)) if isinstance(tree, ast.Call):  # a share
                if _mixes_currencies(one):
                    self._tell(tree, _MIXED)
        return node

    def _member(self, value: ast.expr, group: ast.expr) -> Node:
        node = super()._member(value, group)
        match node, group:
            case OneOf(value=asked, options=options), ast.List(elts=trees):
                ranges = self.known.ranges()
                for option, tree in zip(options, trees, strict=True):
                    if reason := self._never(Compare(FLAG, "==", asked, option), ranges):
                        told = f"{self.parsed.text(tree)} is never there: {reason}"
                        self._tell(tree, told, is_certain=True)
        return node

    def _condition(self, tree: ast.BoolOp | ast.UnaryOp | ast.Compare) -> Node:
        before = len(self.told)
        node = super()._condition(tree)
        inside = self.told[before:]
        if any(one.is_certain for one in inside):
            return node
        if not self._is_refused(tree, node) and not inside:
            self._doubt(tree, node)
        return node

    def _is_refused(self, tree: ast.expr, node: Node) -> bool:
        for ranges in (known_ranges(self.known.lets), self.known.ranges()):
            if reason := self._never(node, ranges):
                at = self._first(tree, ranges)
                self._tell(at, f"this is never true: {reason}", is_certain=True)
                return True
        return False

    def _doubt(self, tree: ast.expr, node: Node) -> None:
        here = self.known.ranges()
        if reason := self._never(node, usual := self.known.usual()):
            self._tell(self._first(tree, usual), f"this is hardly ever true: {reason}")
        elif self._never(node, here, is_=False):
            self._tell(tree, "this is always true, where it is known")

    def _never(self, node: Node, ranges: RangeOf, *, is_: bool = True) -> str:
        return never(node, self.known.lets, ranges, [*self.scope.steps], is_=is_)

    def _first(self, tree: ast.expr, ranges: RangeOf) -> ast.expr:
        """Of clauses that have to be true together, the first that the others before exclude."""
        if not isinstance(tree, ast.BoolOp):
            return tree
        plain, parts = Checker(self.parsed, self.scope), tuple[Node, ...]()
        for value in tree.values:
            parts += (plain.expect(value, Base.FLAG),)
            if self._never(And(FLAG, parts), ranges):
                return value
        return tree

    def _possible(self, kind: Type, node: Node, tree: ast.expr) -> None:
        super()._possible(kind, node, tree)
        if kind.code and isinstance(node, Literal) and node.value:  # a record may have none
            self._code(kind.code, str(node.value), tree)

    def _code(self, kind: str, code: str, tree: ast.expr) -> None:
        codes, length = self.known.codes.currencies, 3
        if kind == COUNTRY:
            codes, length = self.known.codes.countries, 2
        if code in codes:
            return
        hint = f"; did you mean {code.upper()}?" if code.upper() in codes else ""
        letters = "two" if kind == COUNTRY else "three"
        example = "CN" if kind == COUNTRY else "USD"
        message = f"{code} is no code of a {kind}: {letters} capital letters, as in '{example}'"
        self._tell(tree, message + hint, is_certain=len(code) != length)

    def _tell(self, tree: ast.expr, message: str, *, is_certain: bool = False) -> None:
        self.told.append(Doubt(self.parsed.column(tree), message, is_certain))


def _mixes_currencies(one: Aggregate) -> bool:
    """Whether it reckons with amounts as they are, of whatever currency."""
    if one.value is None or one.function in ("distinct", "first", "last"):
        return False
    return _asks(one.value, "amount") and not (one.where and _asks(one.where, "currency"))


def _asks(node: Node, name: str) -> bool:
    return any(isinstance(part, EventField) and part.name == name for part in walk(node))
