"""Why a rule fires for a customer, and why not: each clause of its condition with what it saw.

Evaluated by the interpreter, on the windows and records that the engine has.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import reduce
from itertools import product
from typing import Any

from msgspec import Struct
from msgspec.structs import replace as replace_clause

from schemas.rule_scores import Score
from streams.expressions.interpret import World, interpret
from streams.expressions.nodes import (
    Aggregate,
    And,
    Attribute,
    Clock,
    Compare,
    EventField,
    FactField,
    Gathered,
    HasTag,
    Holds,
    Let,
    Literal,
    MonthEnd,
    Node,
    Not,
    Or,
    ProfileField,
    Reading,
    ScoreField,
    StepField,
    walk,
)
from streams.expressions.values import render
from streams.expressions.write import write
from streams.rules.checked import CheckedRule
from streams.rules.sequence import Chain

_LOOKED_AT = (
    EventField,
    ProfileField,
    Attribute,
    ScoreField,
    Let,
    Reading,
    StepField,
    FactField,
    Gathered,
    Clock,
    MonthEnd,
)


class Clause(Struct, frozen=True, kw_only=True):
    """A part of a condition."""

    text: str
    holds: bool | None
    """None is unknown, which makes a rule fire as little as false does."""
    seen: Mapping[str, str] = {}
    """What it looked at, by its text → the value, – where it is unknown."""
    off: str = ""
    """Of a comparison of numbers that is not true: by how much."""
    of_event: bool = False
    """There is no event, and the one that comes may make it true or not."""
    counts_event: bool = False
    """There is no event, and it counts the one that comes as well: what it saw is without that, and
    `off` is with it."""
    parts: Sequence["Clause"] = ()
    """Of what `or` and `not` put together."""
    takes_points: bool = False
    """Of a score: nothing is amiss where it is not true."""


class NoEvent:
    """Stands for the event that comes, where there is none yet: each of its fields is unknown."""

    def __getattr__(self, name: str) -> None:
        return None


def clauses(rule: CheckedRule, world: World) -> list[Clause]:
    """The condition's clauses as their author wrote them, what is under `unless` behind them, and
    of a rule with a score whether that is high. The word `true` is none: it asks for nothing."""
    condition = rule.condition
    parts = condition.parts if isinstance(condition, And) else (condition,)
    asked = (one for one in parts if not (isinstance(one, Literal) and one.value is True))
    is_open = isinstance(world.data, NoEvent)
    teller = (_Forecaster if is_open else _Teller)(rule, world)
    told = [teller.clause(one) for one in asked]
    score = rule.definition.score
    return told if score is None else [*told, teller.score(score, rule.signals)]


def lets(rule: CheckedRule, world: World) -> dict[str, str]:
    """The values that the rule gives names to."""
    return {name: render(interpret(node, world)) for name, node in rule.lets.items()}


def step_names(rule: CheckedRule) -> list[str]:
    return [one.name for one in rule.sequence.steps] if rule.sequence else []


def worlds(rule: CheckedRule, world: World, chains: Iterator[Chain]) -> Iterator[World]:
    """What the rule is evaluated in: one world for each chain of a sequence, the latest first."""
    sequence = rule.sequence
    if sequence is None:
        yield world
        return
    names = [[field.name for field in kept.fields] for kept in sequence.kept]
    for chain in chains:
        steps = [dict(zip(of, one[1], strict=True)) for of, one in zip(names, chain, strict=True)]
        yield replace(world, steps=steps)


class _Teller:
    def __init__(self, rule: CheckedRule, world: World) -> None:
        self._world = world
        self._steps = step_names(rule)

    def clause(self, node: Node) -> Clause:
        parts: tuple[Clause, ...] = ()
        match node:
            case And() | Or():
                parts = tuple(self.clause(one) for one in node.parts)
            case Not(part=Holds(part=part)) | Not(part=part):
                parts = (self.clause(part),)
        return self._clause(node, parts)

    def _clause(self, node: Node, parts: Sequence[Clause]) -> Clause:
        holds = interpret(node, self._world)
        return Clause(
            text=write(node, self._steps),
            holds=holds,
            seen={} if parts else dict(self._seen(node)),
            off=_off(node, self._world) if holds is False else "",
            parts=parts,
        )

    def score(self, score: Score, signals: Sequence[Node]) -> Clause:
        """Whether its points reach the threshold, with each signal; without an event those of its
        signals that look at one may come or not."""
        told = [self.clause(one.part if isinstance(one, Holds) else one) for one in signals]
        weighted = [*zip((one.points for one in score.signals), told, strict=True)]
        points = sum(some for some, said in weighted if said.holds)
        open_ = [some for some, said in weighted if said.of_event and said.holds is None]
        least = points + sum(some for some in open_ if some < 0)
        most = points + sum(some for some in open_ if some > 0)
        depends = least < score.threshold <= most
        return Clause(
            text=f"{score.name} >= {score.threshold}",
            holds=None if depends else points >= score.threshold,
            seen={score.name: str(points) if least == most else f"{least} to {most}"},
            off=f"{score.threshold - most} short" if most < score.threshold else "",
            of_event=depends,
            parts=[
                replace_clause(said, text=f"{some:+} {said.text}", takes_points=some < 0)
                for some, said in weighted
            ],
        )

    def _seen(self, node: Node) -> Iterator[tuple[str, str]]:
        if isinstance(node, Compare):
            for side in (node.left, node.right):
                if not isinstance(side, Literal):
                    yield self._valued(side)
        for part in walk(node, into_lists=False):
            if isinstance(part, _LOOKED_AT):
                yield self._valued(part)
        if isinstance(node, HasTag):
            yield "tags", ", ".join(sorted(self._world.record.profile.tags)) or "none"

    def _valued(self, node: Node) -> tuple[str, str]:
        return write(node, self._steps), render(interpret(node, self._world))


class _Forecaster(_Teller):
    """Tells what holds whatever event comes, and what that says."""

    def __init__(self, rule: CheckedRule, world: World) -> None:
        super().__init__(rule, world)
        self._on = frozenset(rule.definition.on)
        self._counted = replace(world, aggregate=self._with_the_event)

    def _clause(self, node: Node, parts: Sequence[Clause]) -> Clause:
        may = self._may_be(node)
        holds = next(iter(may)) if len(may) == 1 else None
        return replace_clause(
            super()._clause(node, parts),
            holds=holds,
            off=_off(node, self._counted) if holds is False else "",
            of_event=holds is None and True in may,
            counts_event=not (parts or self._looks_at_it(node)) and any(self._own(node)),
        )

    def _may_be(self, node: Node) -> set[bool | None]:
        """What a condition can be, whatever event comes."""
        match node:
            case Not(part=Holds(part=part)):
                return {one is not True for one in self._may_be(part)}
            case Not(part=part):
                return {None if one is None else not one for one in self._may_be(part)}
            case And() | Or():
                found = map(self._may_be, node.parts)
                decisive = isinstance(node, Or)
                return reduce(lambda some, more: _joined(some, more, decisive=decisive), found)
        own = {*self._own(node)}
        if self._looks_at_it(node) or any(one.function != "count" for one in own):
            return {True, False, None}
        with_it = interpret(node, self._counted)
        if all(one.where is None and self._on <= {*one.types} for one in own):
            return {with_it}
        return {with_it, interpret(node, self._world)} if len(own) == 1 else {True, False, None}

    def _looks_at_it(self, node: Node) -> bool:
        return any(isinstance(one, EventField) for one in self._looked_at(node))

    def _own(self, node: Node) -> Iterator[Aggregate]:
        """The windows that the event that comes may be in."""
        for one in self._looked_at(node):
            if isinstance(one, Reading) and self._is_of_it(one.aggregate):
                yield one.aggregate

    def _with_the_event(self, one: Aggregate) -> Any:
        value = self._world.aggregate(one)
        is_more = one.function == "count" and value is not None and self._is_of_it(one)
        return value + 1 if is_more else value

    def _is_of_it(self, one: Aggregate) -> bool:
        is_of_now = one.months is None or one.months[1] == 0
        return is_of_now and not one.prior and not self._on.isdisjoint(one.types)

    def _looked_at(self, node: Node) -> Iterator[Node]:
        """A node and everything below it, through lets."""
        for part in walk(node):
            if isinstance(part, Let):
                yield from self._looked_at(self._world.lets[part.name])
            yield part


def _joined(some: set[bool | None], more: set[bool | None], *, decisive: bool) -> set[bool | None]:
    """What `or` (`and`, if false is decisive) can be of what two conditions can be."""
    return {
        decisive if decisive in both else None if None in both else not decisive
        for both in product(some, more)
    }


def _off(node: Node, world: World) -> str:
    if not isinstance(node, Compare):
        return ""
    left, right = (interpret(side, world) for side in (node.left, node.right))
    if not isinstance(left, int | Decimal) or not isinstance(right, int | Decimal):
        return ""
    match node.operator:
        case ">" | ">=":
            return f"{_plain(right - left)} short"
        case "<" | "<=":
            return f"{_plain(left - right)} over"
        case "==":
            return f"{_plain(max(left, right) - min(left, right))} apart"
        case _:
            return ""


def _plain(value: int | Decimal) -> str:
    return "just" if not value else render(value)
