"""From a checked rule to one Python function.

The condition's clauses (what `and` joins at the top) are tried in order, those that need no
aggregate before those that do (all must hold, so the order changes no answer), and a let or an
aggregate is computed just before the first clause that needs it: a rule with a cheap clause that is
seldom true costs next to nothing, wherever its author wrote it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from schemas.rules import RuleDefinition
from streams.durations import parse_duration
from streams.expressions.catalogue import TOTALS
from streams.expressions.compile import Writer, compile_function
from streams.expressions.nodes import (
    Aggregate,
    And,
    Attribute,
    HasTag,
    Let,
    Node,
    ProfileField,
    Reading,
    walk,
)
from streams.rules.checked import CheckedRule

Evaluate = Callable[[Any, Any, Mapping[int, Any]], tuple[Any, ...] | None]


class CompiledRule:
    """A rule ready to run. `evaluate(record, data, readings)` gives the values, or None."""

    __slots__ = ("cooldown", "definition", "evaluate", "id", "names")

    def __init__(self, rule: CheckedRule, number_of: Callable[[Aggregate], int]) -> None:
        self.definition: RuleDefinition = rule.definition
        self.id = rule.definition.id
        self.names = tuple(rule.shown)
        cooldown = rule.definition.cooldown
        self.cooldown = parse_duration(cooldown) if cooldown else 0
        self.evaluate: Evaluate = _compile(rule, number_of)


def _compile(rule: CheckedRule, number_of: Callable[[Aggregate], int]) -> Evaluate:
    body = _Body(Writer(number_of), number_of, rule.lets)
    condition = rule.condition
    clauses = condition.parts if isinstance(condition, And) else (condition,)
    for clause in sorted(clauses, key=body.reads):
        body.prepare(clause)
        body.lines.append(f"if not {body.writer.true(clause)}: return None")
    for node in rule.shown.values():
        body.prepare(node)
    shown = "".join(f"{body.writer.value(node)}, " for node in rule.shown.values())
    body.lines.append(f"return ({shown})")
    source = "\n    ".join(["def made(r, d, g):", *body.lines, ""])
    return compile_function(source, body.writer.namespace)


class _Body:
    """The lines of a function, with each name given a value before it is used."""

    def __init__(
        self, writer: Writer, number_of: Callable[[Aggregate], int], lets: Mapping[str, Node]
    ) -> None:
        self.writer = writer
        self.lines: list[str] = []
        self._number_of = number_of
        self._lets = lets
        self._given: set[str] = set()

    def reads(self, node: Node) -> bool:
        """Whether a node needs an aggregate, itself or through a let."""
        return any(
            isinstance(part, Reading)
            or (isinstance(part, Let) and self.reads(self._lets[part.name]))
            for part in walk(node)
        )

    def prepare(self, node: Node) -> None:
        for part in walk(node):
            match part:
                case Let():
                    if f"v_{part.name}" not in self._given:
                        value = self._lets[part.name]
                        self.prepare(value)
                        self._give(f"v_{part.name}", self.writer.value(value))
                case Reading():
                    number = self._number_of(part.aggregate)
                    self._give(f"g_{number}", f"g[{number}]")
                case ProfileField(name=name) if name in TOTALS:
                    self._give("s", "totals(r.profile)")
                case ProfileField():
                    self._give("b", "r.profile.basics")
                case Attribute():
                    self._give("a", "r.profile.attributes")
                case HasTag():
                    self._give("t", "r.profile.tags")

    def _give(self, name: str, value: str) -> None:
        if name not in self._given:
            self._given.add(name)
            self.lines.append(f"{name} = {value}")
