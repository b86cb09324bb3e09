"""Sequences: what must have come before the event that fires a rule, step by step.

A rule with a sequence fires if there is an event for each step, one before the other and all before
its own event, of which everything that the rule asks is true. Of several such chains the latest
counts: that whose last step is the latest, then the one before, and so on.

Each step's last events are kept (streams/recent.py) of which what its condition asks of the event
itself is true; what it asks of the steps before is looked at with the chain as a whole.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from schemas.events import EVENT_TYPES
from schemas.rule_sequences import Step
from schemas.rules import RuleDefinition
from streams.durations import parse_duration
from streams.expressions.catalogue import common_fields
from streams.expressions.check import check, step_field
from streams.expressions.compile import Writer, compile_function
from streams.expressions.nodes import (
    FLAG,
    Aggregate,
    And,
    Base,
    EventField,
    Node,
    StepField,
    rewrite,
    walk,
)
from streams.expressions.parse import ExpressionError
from streams.expressions.scope import Scope
from streams.expressions.unknown import event_type
from streams.expressions.write import write
from streams.recent import Occurrence
from streams.rules.errors import RuleProblem, problems_of

Chain = tuple[Occurrence, ...]
"""An event for each step."""
_TAKEN = ("tags", "true", "false", "profile", "attributes")


class CheckedStep(NamedTuple):
    name: str
    types: tuple[str, ...]
    own: Node | None
    """What is asked of the event itself."""
    link: Node | None
    """What is asked of it and of the steps before: in terms of steps alone, its own included."""


class Sequence(NamedTuple):
    """A sequence that is ready to be compiled."""

    steps: tuple[CheckedStep, ...]
    kept: tuple[Aggregate, ...]
    """For each step the events that are kept, and what of them."""

    def place(self, field: StepField) -> tuple[int, int]:
        """Where in a chain a field stands: the step, and the place among what is kept of it."""
        names = [one.name for one in self.kept[field.step].fields]
        return field.step, names.index(field.name)

    def source(self, field: StepField) -> str:
        """Python for a field, of a chain `q`."""
        step, place = self.place(field)
        return f"q[{step}][1][{place}]"


def check_steps(rule: RuleDefinition) -> tuple[list[CheckedStep], list[RuleProblem]]:
    """The steps of a rule's sequence that are right, and what is wrong with the others."""
    steps: list[CheckedStep] = []
    broken: set[str] = set()
    problems: list[RuleProblem] = []
    for number, step in enumerate(rule.sequence.steps if rule.sequence else ()):
        key = f"sequence.steps.{number}"
        if wrong := list(_wrong(rule, step, key, [one.name for one in steps])):
            problems += wrong
            broken.add(step.name)
            continue
        try:
            steps.append(_checked(step, steps, frozenset(broken)))
        except ExpressionError as error:
            problems += problems_of(rule.id, f"{key}.if", error)
            broken.add(step.name)
    return steps, problems


def _wrong(rule: RuleDefinition, step: Step, key: str, before: list[str]) -> Iterator[RuleProblem]:
    for name in step.on:
        if name not in EVENT_TYPES:
            yield RuleProblem(rule.id, f"{key}.on", 0, event_type(name, EVENT_TYPES))
    if step.name in (*_TAKEN, *before):
        yield RuleProblem(rule.id, f"{key}.name", 0, f"the name {step.name} is already taken")


def scopes(steps: Iterable[CheckedStep]) -> Mapping[str, tuple[str, ...]]:
    return {step.name: step.types for step in steps}


def _checked(step: Step, before: list[CheckedStep], broken: frozenset[str]) -> CheckedStep:
    types = tuple(dict.fromkeys(step.on))
    if step.if_ is None:
        return CheckedStep(step.name, types, None, None)
    scope = Scope(types, inside="a step", steps=scopes(before), broken=broken)
    condition = check(step.if_, scope, Base.FLAG)
    clauses = condition.parts if isinstance(condition, And) else (condition,)
    linked = [one for one in clauses if any(isinstance(part, StepField) for part in walk(one))]
    own = [one for one in clauses if one not in linked]
    number, fields = len(before), common_fields(types)

    def of_step(node: Node) -> Node:
        if isinstance(node, EventField):
            return step_field(number, node.name, fields[node.name])
        return node

    link = _joined([rewrite(one, of_step) for one in linked])
    return CheckedStep(step.name, types, _joined(own), link)


def _joined(clauses: list[Node]) -> Node | None:
    return And(FLAG, tuple(clauses)) if clauses else None


def sequence_of(
    rule: RuleDefinition, steps: list[CheckedStep], looked_at: Iterable[Node]
) -> Sequence | None:
    """A rule's sequence: of each step what is kept is what the rule looks at."""
    if rule.sequence is None:
        return None
    links = [step.link for step in steps if step.link is not None]
    asked = {
        (part.step, part.name)
        for node in (*looked_at, *links)
        for part in walk(node)
        if isinstance(part, StepField)
    }
    within = parse_duration(rule.sequence.within)
    kept = []
    for number, step in enumerate(steps):
        fields = common_fields(step.types)
        names = sorted(name for one, name in asked if one == number)
        kept.append(
            Aggregate(
                function="recent",
                types=tuple(sorted(step.types)),
                length=within,
                value=None,
                where=step.own,
                value_text="",
                where_text=write(step.own) if step.own is not None else "",
                decimals=0,
                fields=tuple(EventField(fields[name], name, True) for name in names),
            )
        )
    return Sequence(tuple(steps), tuple(kept))


def chains_of(
    sequence: Sequence, number_of: Callable[[Aggregate], int]
) -> Callable[[Mapping[int, Any]], Iterator[Chain]]:
    """Of an event's readings, the chains that lead to it, the latest first."""
    numbers = [number_of(one) for one in sequence.kept]
    links = [_compiled(step.link, sequence) for step in sequence.steps if step.link is not None]

    def chains(readings: Mapping[int, Any]) -> Iterator[Chain]:
        steps = [readings[number] for number in numbers]
        if not all(steps):
            return
        for chain in _chained(steps):
            if all(link(chain) for link in links):
                yield chain

    return chains


def _chained(steps: list[Any]) -> Iterator[Chain]:
    *before, last = steps
    for one in last:
        if not before:
            yield (one,)
            continue
        for chain in _chained(before):
            if chain[-1][0] < one[0]:
                yield (*chain, one)


def _compiled(link: Node, sequence: Sequence) -> Callable[[Chain], bool]:
    writer = Writer(_no_aggregates)
    fields = {part for part in walk(link) if isinstance(part, StepField)}
    given = [f"{writer.value(one)} = {sequence.source(one)}" for one in sorted(fields, key=repr)]
    lines = ["def made(q):", *given, f"return True if {writer.true(link)} else False", ""]
    return compile_function("\n    ".join(lines), writer.namespace)


def _no_aggregates(aggregate: Aggregate) -> int:
    raise TypeError(f"{aggregate.function} inside a step")
