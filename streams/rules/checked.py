"""A rule whose every expression and placeholder was checked against the field catalogue."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from keyword import iskeyword

from schemas.events import EVENT_TYPES
from schemas.greetings import GreetingTemplate
from schemas.rules import RuleDefinition, Text
from streams.attributes import NONE_DECLARED, Attributes
from streams.expressions.catalogue import common_fields
from streams.expressions.check import Scope, check
from streams.expressions.lookups import NUMBERS
from streams.expressions.nodes import (
    FLAG,
    Aggregate,
    And,
    Attribute,
    Base,
    EventField,
    FactField,
    Holds,
    Let,
    Literal,
    Node,
    Not,
    ProfileField,
    Reading,
    StepField,
    Type,
    walk,
)
from streams.expressions.parse import ExpressionError, nearest
from streams.greetings import NO_GREETINGS, Greetings
from streams.rules.errors import RuleProblem
from streams.rules.sequence import Sequence, check_steps, scopes, sequence_of
from streams.rules.waiting import NO_WAIT, Waits, check_wait
from streams.waits.absence import MAX_SHOWN

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_Said = tuple[str, str, str]
"""The key of a text, the text, and for one that is elsewhere where."""
_RESERVED = ("tags", "true", "false", "profile", "attributes")


@dataclass(frozen=True)
class CheckedRule:
    definition: RuleDefinition
    lets: dict[str, Node]
    condition: Node
    shown: dict[str, Node]
    """What its effects show, by name: every let, and every field that it looks at."""
    waits: Waits = NO_WAIT
    sequence: Sequence | None = None
    """What must have come before."""

    def aggregates(self) -> list[Aggregate]:
        """The aggregates that it uses."""
        nodes = [one for node in (*self.lets.values(), self.condition) for one in walk(node)]
        found = [one.aggregate for one in nodes if isinstance(one, Reading)]
        return [*found, *(self.sequence.kept if self.sequence else ())]


def check_rule(
    rule: RuleDefinition,
    attributes: Attributes = NONE_DECLARED,
    greetings: Greetings = NO_GREETINGS,
) -> CheckedRule | list[RuleProblem]:
    """Check one rule: what it is made of, or everything that is wrong with it."""
    problems = [
        RuleProblem(rule.id, "on", 0, f"{name} is no event type{nearest(name, EVENT_TYPES)}")
        for name in rule.on
        if name not in EVENT_TYPES
    ]
    if problems:
        return problems
    waits, problems = check_wait(rule, attributes)
    steps, wrong = check_steps(rule)
    problems += wrong
    if problems:
        return problems
    types = tuple(dict.fromkeys(rule.on))
    before = scopes(steps)
    lets: dict[str, Node] = {}
    known: dict[str, Type] = {}
    for name, text in rule.let.items():
        key = f"let.{name}"
        if iskeyword(name) or name in (*_RESERVED, *before, *common_fields(types)):
            problems.append(RuleProblem(rule.id, key, 0, f"the name {name} is already taken"))
            continue
        try:
            lets[name] = check(text, Scope(types, dict(known), attributes, steps=before))
        except ExpressionError as error:
            problems.append(RuleProblem(rule.id, key, error.column, error.message))
        else:
            known[name] = lets[name].type
    if problems:  # what uses a broken let would only be reported a second time
        return problems
    scope = Scope(types, known, attributes, steps=before)
    conditions: dict[str, Node] = {}
    for key, written in (("if", rule.if_), ("unless", rule.unless)):
        if written is not None:
            try:
                conditions[key] = check(written, scope, Base.FLAG)
            except ExpressionError as error:
                problems.append(RuleProblem(rule.id, key, error.column, error.message))
    if problems:
        return problems
    condition = _unless(conditions["if"], conditions.get("unless"))
    texts = list(_texts(rule))
    if rule.then.greeting is not None:
        occasion, known_ones = rule.then.greeting.occasion, greetings.occasions()
        if occasion not in known_ones:
            message = f"there are no templates for {occasion}{nearest(occasion, known_ones)}"
            return [RuleProblem(rule.id, "then.greeting.occasion", 0, message)]
        texts += _greetings(greetings.templates(occasion))
    shown = _looked_at(lets, condition, list(before))
    problems = list(_placeholders(rule, texts, scope, shown))
    if waits.absence is not None and len(shown) > MAX_SHOWN:
        message = f"what it shows is kept while it waits, at most {MAX_SHOWN} values: {len(shown)}"
        problems.append(RuleProblem(rule.id, "wait", 0, message))
    sequence = sequence_of(rule, steps, (*lets.values(), condition, *shown.values()))
    return problems or CheckedRule(rule, lets, condition, shown, waits, sequence)


def _unless(condition: Node, unless: Node | None) -> Node:
    if unless is None:
        return condition
    before = condition.parts if isinstance(condition, And) else (condition,)
    return And(condition.type, (*before, Not(FLAG, Holds(FLAG, unless))))


def _looked_at(lets: dict[str, Node], condition: Node, steps: list[str]) -> dict[str, Node]:
    shown: dict[str, Node] = {name: Let(node.type, name) for name, node in lets.items()}
    for whole in (*lets.values(), condition):
        for node in walk(whole):
            match node:
                case EventField():
                    shown[node.name] = node
                case ProfileField():
                    shown[f"profile.{node.name}"] = node
                case Attribute():
                    shown[f"attributes.{node.name}"] = node
                case FactField(key=Literal() as key):
                    about = f"{node.function}({key.value})"
                    one = about if node.function in NUMBERS else f"{about}.{node.name}"
                    shown[one] = node
                case StepField():
                    shown[f"{steps[node.step]}.{node.name}"] = node
    return shown


def _placeholders(
    rule: RuleDefinition, texts: Iterable[_Said], scope: Scope, shown: dict[str, Node]
) -> Iterator[RuleProblem]:
    """Add what the texts name to what is shown; report the names that do not exist."""
    for key, text, where in texts:
        for match in _PLACEHOLDER.finditer(text):
            column = 0 if where else match.start() + 2
            name = match[1]
            if name in shown:
                continue
            try:
                node = check(name, scope)
            except ExpressionError as error:
                yield RuleProblem(rule.id, key, column, where + error.message)
                continue
            if isinstance(node, EventField | ProfileField | Attribute | StepField):
                shown[name] = node
            else:
                message = f"{where}{name!r} is not a name: give it one with let"
                yield RuleProblem(rule.id, key, column, message)


def _texts(rule: RuleDefinition) -> Iterator[_Said]:
    """Every text of the rule that an effect can show."""
    texts: list[tuple[str, Text | None]] = [("title", rule.title)]
    for name, template in rule.then.templates.items():
        parts = ((part, getattr(template, part, None)) for part in ("title", "text"))
        texts += [(f"then.{name}.{part}", text) for part, text in parts]
    for key, text in texts:
        if text is not None:
            yield f"{key}.en", text.en, ""
            yield f"{key}.zh", text.zh, ""


def _greetings(templates: Iterable[GreetingTemplate]) -> Iterator[_Said]:
    for one in templates:
        for text in one.texts.values():
            yield "then.greeting.occasion", text, f"the template {one.id}: "
