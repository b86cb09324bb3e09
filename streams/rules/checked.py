"""A rule whose every expression and placeholder was checked against the field catalogue."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from keyword import iskeyword

from schemas.events import EVENT_TYPES, RULE_TYPES
from schemas.events.campaign import BROADCAST_TYPES
from schemas.rule_parts import Text
from schemas.rules import RuleDefinition
from streams.attributes import NONE_DECLARED, Attributes
from streams.expressions.catalogue import common_fields
from streams.expressions.check import check
from streams.expressions.lookups import NUMBERS
from streams.expressions.nodes import (
    FLAG,
    Aggregate,
    And,
    Attribute,
    Base,
    Clock,
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
    ProfileField,
    Reading,
    ScoreField,
    StepField,
    walk,
)
from streams.expressions.parse import ExpressionError, nearest
from streams.expressions.scope import Scope
from streams.expressions.unknown import event_type
from streams.greetings import NO_GREETINGS, Greetings
from streams.rules.errors import RuleProblem, problems_of
from streams.rules.sequence import Sequence, check_steps, scopes, sequence_of
from streams.rules.waiting import NO_WAIT, Waits, check_wait
from streams.texts import PLACEHOLDER
from streams.waits.absence import MAX_SHOWN

_BRACES = re.compile(r"\{([^{}]*)\}|[{}]")
_Said = tuple[str, str, str]
"""The key of a text, the text, and for one that is elsewhere where."""
_NAMED = (EventField, ProfileField, Attribute, ScoreField, StepField, Clock)
"""What a text may name."""
OF_SCORES = ("score", "reasons")
"""What the texts of a rule with a score may name beside."""
_SCORE = re.compile(r"profile\.scores\.(\w+)")
_OF_LETTERS = "write one of let, or a field, in Latin letters, as in {base_amount}"
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
    signals: tuple[Node, ...] = ()
    """Of its score; they are shown as well, under names that no text has."""

    def looked_at(self) -> tuple[Node, ...]:
        """Everything that is evaluated, but for what is only shown."""
        return (*self.lets.values(), self.condition, *self.signals)

    def aggregates(self) -> list[Aggregate]:
        """The aggregates that it uses."""
        nodes = [one for node in self.looked_at() for one in walk(node)]
        found = [one.aggregate for one in nodes if isinstance(one, Reading)]
        return [*found, *(self.sequence.kept if self.sequence else ())]


def check_rule(
    rule: RuleDefinition,
    attributes: Attributes = NONE_DECLARED,
    greetings: Greetings = NO_GREETINGS,
) -> CheckedRule | list[RuleProblem]:
    """Check one rule: what it is made of, or everything that is wrong with it."""
    problems = [
        RuleProblem(rule.id, "on", 0, event_type(name, RULE_TYPES))
        for name in rule.on
        if name not in RULE_TYPES
    ]
    if problems:
        return problems
    waits, problems = check_wait(rule, attributes)
    steps, wrong = check_steps(rule)
    before = scopes(steps)
    broken = {one.name for one in (rule.sequence.steps if rule.sequence else ())} - {*before}
    types = tuple(dict.fromkeys(rule.on))
    scope = Scope(types, attributes=attributes, steps=before, broken=frozenset(broken))
    problems += [*wrong, *_score_problems(rule)]
    lets, scope, wrong = _lets(rule, scope)
    conditions, also_wrong = _checked_conditions(rule, scope)
    greets, unknown = _greetings(rule, greetings)
    problems += [*wrong, *also_wrong, *unknown]
    shown = _looked_at(lets, conditions.values(), list(before))
    problems += _placeholders(rule, [*texts_of(rule), *greets], scope, shown)
    if waits.absence is not None and len(shown) > MAX_SHOWN:
        message = f"what it shows is kept while it waits, at most {MAX_SHOWN} values: {len(shown)}"
        problems.append(RuleProblem(rule.id, "wait", 0, message))
    looked_at = (*lets.values(), *conditions.values(), *shown.values())
    problems += _amendable_problems(rule, len(shown), looked_at)
    if problems:
        return problems
    condition = _unless(conditions.pop("if"), conditions.pop("unless", None))
    signals = tuple(Holds(FLAG, one) for one in conditions.values())
    sequence = sequence_of(rule, steps, (*lets.values(), condition, *shown.values()))
    shown |= {f"\0{number}": signal for number, signal in enumerate(signals)}
    return CheckedRule(rule, lets, condition, shown, waits, sequence, signals)


def _lets(rule: RuleDefinition, scope: Scope) -> tuple[dict[str, Node], Scope, list[RuleProblem]]:
    """The lets that are right, what is seen with them, and what is wrong with the others."""
    lets: dict[str, Node] = {}
    problems: list[RuleProblem] = []
    taken = (*_RESERVED, *(OF_SCORES if rule.score else ()), *scope.steps)
    taken += (*common_fields(scope.types),)
    scope = replace(scope, later=frozenset(rule.let))
    for name, text in rule.let.items():
        scope = replace(scope, later=scope.later - {name})
        key = f"let.{name}"
        if iskeyword(name) or name in taken:
            problems.append(RuleProblem(rule.id, key, 0, f"the name {name} is already taken"))
            continue
        try:
            lets[name] = check(text, scope)
        except ExpressionError as error:
            problems += problems_of(rule.id, key, error)
            scope = replace(scope, broken=scope.broken | {name})
        else:
            scope = replace(scope, lets={**scope.lets, name: lets[name].type})
    return lets, scope, problems


def _checked_conditions(
    rule: RuleDefinition, scope: Scope
) -> tuple[dict[str, Node], list[RuleProblem]]:
    """By their keys, those that are right, and what is wrong with the others."""
    conditions: dict[str, Node] = {}
    problems: list[RuleProblem] = []
    for key, written in conditions_of(rule):
        try:
            conditions[key] = check(written, scope, Base.FLAG)
        except ExpressionError as error:
            problems += problems_of(rule.id, key, error)
    return conditions, problems


def _unless(condition: Node, unless: Node | None) -> Node:
    if unless is None:
        return condition
    before = condition.parts if isinstance(condition, And) else (condition,)
    return And(condition.type, (*before, Not(FLAG, Holds(FLAG, unless))))


def _amendable_problems(
    rule: RuleDefinition, shown: int, looked_at: Iterable[Node]
) -> Iterator[RuleProblem]:
    """Why a rule that says it can be amended cannot."""
    if not rule.amendable:
        return
    why = []
    if rule.limit is not None:
        why.append("it has a limit")
    if rule.wait is not None:
        why.append("it waits")
    if rule.score is not None:
        why.append("it keeps a score")
    if shown > MAX_SHOWN:
        why.append(f"it shows more than {MAX_SHOWN} values, which are all kept: {shown}")
    why += [
        f"it listens to {name}, which all are told" for name in rule.on if name not in EVENT_TYPES
    ]
    if rule.sequence is not None:
        why.append("it has a sequence, of whose steps only the last events are kept")
    why += [
        f"what it does cannot be taken back: {name}"
        for name in rule.then.actions
        if name not in ("task", "alert")
    ]
    seen = {_changing(part) for node in looked_at for part in walk(node)} - {""}
    why += [f"it looks at {name}, which is only known as it is now" for name in sorted(seen)]
    for one in why:
        yield RuleProblem(rule.id, "amendable", 0, f"a rule cannot be amended if {one}")


def _changing(node: Node) -> str:
    """What a node looks at that no event's time gives back."""
    match node:
        case ProfileField():
            return f"profile.{node.name}"
        case ScoreField():
            return f"profile.scores.{node.name}"
        case Attribute():
            return f"attributes.{node.name}"
        case HasTag():
            return "tags"
        case FactField():
            return f"{node.function}(…)"
        case Gathered():
            return f"the list {node.list}"
        case MonthEnd():
            return "month_end(…)"
        case _:
            return ""


def _looked_at(
    lets: dict[str, Node], conditions: Iterable[Node], steps: list[str]
) -> dict[str, Node]:
    shown: dict[str, Node] = {name: Let(node.type, name) for name, node in lets.items()}
    for whole in (*lets.values(), *conditions):
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
                case Clock():
                    shown[node.name] = node
                case MonthEnd():
                    shown[f"month_end({node.name}, {node.ago})"] = node
                case ScoreField():
                    shown[f"profile.scores.{node.name}"] = node
                case StepField():
                    shown[f"{steps[node.step]}.{node.name}"] = node
    return shown


def _placeholders(
    rule: RuleDefinition, texts: Iterable[_Said], scope: Scope, shown: dict[str, Node]
) -> Iterator[RuleProblem]:
    """Add what the texts name to what is shown; report the names that do not exist."""
    of_scores = OF_SCORES if rule.score else ()
    for key, text, where in texts:
        for match in _BRACES.finditer(text):
            column = 0 if where else match.start() + 2
            if not PLACEHOLDER.fullmatch(match[0]):
                message = where + _not_filled(match[1])
                yield RuleProblem(rule.id, key, min(column, len(text)), message)
                continue
            name = match[1]
            if name in shown or (name in of_scores and not where):
                continue
            if not name.isascii():
                message = f"{where}{name!r} is not a name: {_OF_LETTERS}"
                yield RuleProblem(rule.id, key, column, message)
                continue
            try:
                node = check(name, scope)
            except ExpressionError as error:
                for one in error.each():
                    yield RuleProblem(rule.id, key, column, where + one.message)
                continue
            if isinstance(node, _NAMED):
                shown[name] = node
            else:
                message = f"{where}{name!r} is not a name: give it one with let"
                yield RuleProblem(rule.id, key, column, message)


def _not_filled(inside: str | None) -> str:
    """Why braces are no placeholder, and what to write; None: a brace stands alone."""
    if inside is None:
        return "a brace stands alone: write a name in two, as in {amount}, or leave it out"
    plain = "{" + "".join(inside.split()).strip("()") + "}"
    if PLACEHOLDER.fullmatch(plain):
        return f"what is in braces is a name and nothing else: write {plain}"
    return f"{inside!r} is not a name: give it one with let"


def texts_of(rule: RuleDefinition) -> Iterator[_Said]:
    """Every text of the rule that an effect can show."""
    texts: list[tuple[str, Text | None]] = [("title", rule.title)]
    for name, template in rule.then.templates.items():
        parts = ((part, getattr(template, part, None)) for part in ("title", "text"))
        texts += [(f"then.{name}.{part}", text) for part, text in parts]
    for number, signal in enumerate(rule.score.signals if rule.score else ()):
        texts.append((f"score.signals.{number}.reason", signal.reason))
    for key, text in texts:
        if text is not None:
            yield f"{key}.en", text.en, ""
            yield f"{key}.zh", text.zh, ""


def _greetings(rule: RuleDefinition, greetings: Greetings) -> tuple[list[_Said], list[RuleProblem]]:
    """The texts of the templates that a rule may choose, and what they ask of its values as if they
    showed them; or why there are none."""
    if rule.then.greeting is None:
        return [], []
    occasion, known = rule.then.greeting.occasion, greetings.occasions()
    key = "then.greeting.occasion"
    if occasion not in known:
        message = f"there are no templates for {occasion}{nearest(occasion, known)}"
        return [], [RuleProblem(rule.id, key, 0, message)]
    return [
        (key, text, f"the template {one.id}: ")
        for one in greetings.templates(occasion)
        for text in (*one.texts.values(), *(f"{{{name}}}" for name in one.where))
    ], []


def unknown_scores(rules: Collection[RuleDefinition]) -> Iterator[RuleProblem]:
    """Scores that rules ask for and none of them has. Rules may be compiled apart from those that
    score, so this is asked of whole sets alone."""
    known = [rule.score.name for rule in rules if rule.score and rule.status != "retired"]
    for rule in rules:
        written = [(f"let.{name}", text) for name, text in rule.let.items()]
        written += [*conditions_of(rule), *((key, text) for key, text, _ in texts_of(rule))]
        for key, text in written:
            for found in _SCORE.finditer(text):
                if found[1] not in known:
                    message = f"no rule has the score {found[1]}{nearest(found[1], known)}"
                    yield RuleProblem(rule.id, key, found.start() + 1, message)


def _score_problems(rule: RuleDefinition) -> Iterator[RuleProblem]:
    if rule.score is None:
        return
    if rule.wait is not None or rule.sequence is not None:
        message = "a rule with a score is of every event: it has no wait and no sequence"
        yield RuleProblem(rule.id, "score", 0, message)
    for name in rule.on:
        if name in BROADCAST_TYPES:
            message = f"a score is of the customer's own events; {name} is told to all at once"
            yield RuleProblem(rule.id, "on", 0, message)


def conditions_of(rule: RuleDefinition) -> Iterator[tuple[str, str]]:
    """Everything that is true or false, by its key: of a score the signals, in order."""
    yield "if", rule.if_
    if rule.unless is not None:
        yield "unless", rule.unless
    for number, signal in enumerate(rule.score.signals if rule.score else ()):
        yield f"score.signals.{number}.if", signal.if_
