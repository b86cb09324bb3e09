"""From definitions to rules in force: checked as a set and compiled."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from hashlib import sha256

from pydantic import BaseModel

from schemas.rules import RuleDefinition
from streams.attributes import NONE_DECLARED, Attributes
from streams.calendar import WEEKENDS_ONLY, Calendar
from streams.durations import DAY_MS
from streams.greetings import NO_GREETINGS, Greetings
from streams.rules.aggregates import Aggregates, Numbers, state_key
from streams.rules.amending import Amending
from streams.rules.checked import CheckedRule, check_rule
from streams.rules.compiled import CompiledRule
from streams.rules.errors import RuleErrors, RuleProblem
from streams.rules.listening import Listening
from streams.rules.ruleset import RuleSet
from streams.rules.scores import MAX_SCORES
from streams.rules.weight import too_heavy, weigh
from streams.waits.days import Bank

_AT_ONCE = 10
"""So many rules are checked without a pause for others."""
_MOST_UNUSED = 1_000
"""So many aggregates that no rule asks for any more are numbered still."""


class Compiler:
    """Checks and compiles one set of rules after the other; what a set has in common with the one
    before is not made again.

    `lateness` (milliseconds) is how late an event may come and still be put into windows, `zone`
    the one of calendar months, `calendar` the one of business days, `greetings` the templates: the
    same as the step's. `breathe` is called after every few milliseconds of work, so that whoever
    shares the interpreter gets on.
    """

    def __init__(
        self,
        *,
        breathe: Callable[[], None] = lambda: None,
        lateness: int = 30 * DAY_MS,
        attributes: Attributes = NONE_DECLARED,
        zone: tzinfo = UTC,
        calendar: Calendar = WEEKENDS_ONLY,
        greetings: Greetings = NO_GREETINGS,
    ) -> None:
        self._breathe = breathe
        self._lateness = lateness
        self._attributes = attributes
        self._zone = zone
        self._greetings = greetings
        self._bank = Bank(zone, calendar)
        used = (*attributes.declared.values(), calendar.definition, *greetings.definitions)
        self._used = [_text(one) for one in used]
        self._before = _Made()

    def compile(self, definitions: Sequence[RuleDefinition]) -> RuleSet:
        """Raises RuleErrors with everything that is wrong."""
        before = self._before
        if len(before.numbers) > _MOST_UNUSED + 2 * before.asked:
            before = _Made()
        made = _Made(before.numbers)
        texts = [_text(one) for one in definitions]
        self._breathe()
        made.checked = self._check(definitions, texts, before)
        running = {
            text: one for text, one in made.checked.items() if one.definition.status != "draft"
        }
        asked = dict.fromkeys(one for rule in running.values() for one in rule.aggregates())
        made.asked = len(asked)
        self._breathe()
        replayed = _replayed(running.values())
        aggregates = Aggregates(asked, self._lateness, self._zone, made.numbers, replayed)
        self._breathe()
        number_of = aggregates.number_of
        for text, one in running.items():
            known = before.compiled.get(text)
            made.compiled[text] = known or CompiledRule(one, number_of, self._zone)

        def together(rules: Sequence[CompiledRule]) -> Listening:
            key = tuple(rules)
            known = made.listening.get(key) or before.listening.get(key)
            if (found := known) is None:
                found = Listening(key, number_of, self._zone)
                self._breathe()
            made.listening[key] = found
            return found

        digest = sha256("\n".join(sorted([*texts, *self._used])).encode()).hexdigest()
        by_id = sorted(made.compiled.values(), key=lambda one: one.id)
        weight = weigh([one.checked for one in by_id], aggregates)
        if problems := [*too_heavy(weight)]:
            raise RuleErrors(problems)
        self._compile_alone(by_id)
        amending = self._amending(by_id, made.numbers)
        rules = RuleSet(
            definitions, digest, by_id, aggregates, self._bank, together, amending, weight
        )
        self._before = made
        return rules

    def _compile_alone(self, running: Iterable[CompiledRule]) -> None:
        """What is evaluated by itself, when a date has come or the past has changed: here, since
        the chunk where that happens would wait for the first of each."""
        alone = [one for one in running if one.definition.amendable or one.checked.waits.dates]
        for number, rule in enumerate(alone, 1):
            _ = rule.evaluate
            if number % _AT_ONCE == 0:
                self._breathe()

    def _amending(self, running: Sequence[CompiledRule], numbers: Numbers) -> Amending | None:
        rules = [one for one in running if one.definition.amendable]
        if not rules:
            return None
        asked = (one for rule in rules for one in rule.checked.aggregates())
        replayed = _replayed(rule.checked for rule in rules)
        aggregates = Aggregates(asked, self._lateness, self._zone, numbers, replayed)
        return Amending(rules, aggregates, self._lateness)

    def _check(
        self, definitions: Sequence[RuleDefinition], texts: Sequence[str], before: "_Made"
    ) -> dict[str, CheckedRule]:
        """By their texts, those that are not retired."""
        problems = [
            *_doubles(definitions),
            *_scored_twice(definitions),
            *_too_many_scores(definitions),
        ]
        checked: dict[str, CheckedRule] = {}
        new = 0
        for rule, text in zip(definitions, texts, strict=True):
            if rule.status != "retired":
                found: CheckedRule | list[RuleProblem] | None = before.checked.get(text)
                if found is None:
                    found = check_rule(rule, self._attributes, self._greetings)
                    new += 1
                    if new % _AT_ONCE == 0:
                        self._breathe()
                if isinstance(found, list):
                    problems += found
                else:
                    checked[text] = found
        if problems:
            raise RuleErrors(problems)
        return checked


@dataclass
class _Made:
    """What a set was made of, by the texts of its rules."""

    numbers: Numbers = field(default_factory=Numbers)
    asked: int = 0
    """How many of them the set asks for."""
    checked: dict[str, CheckedRule] = field(default_factory=dict)
    compiled: dict[str, CompiledRule] = field(default_factory=dict)
    listening: dict[tuple[CompiledRule, ...], Listening] = field(default_factory=dict)


def compile_rules(
    definitions: Sequence[RuleDefinition],
    *,
    lateness: int = 30 * DAY_MS,
    attributes: Attributes = NONE_DECLARED,
    zone: tzinfo = UTC,
    calendar: Calendar = WEEKENDS_ONLY,
    greetings: Greetings = NO_GREETINGS,
) -> RuleSet:
    """Check and compile one set, see Compiler. Raises RuleErrors with everything that is wrong."""
    compiler = Compiler(
        lateness=lateness,
        attributes=attributes,
        zone=zone,
        calendar=calendar,
        greetings=greetings,
    )
    return compiler.compile(definitions)


def _replayed(rules: Iterable[CheckedRule]) -> set[str]:
    """The keys of the states that rules look at which can be amended."""
    amendable = (rule for rule in rules if rule.definition.amendable)
    return {state_key(one) for rule in amendable for one in rule.aggregates()}


def _doubles(definitions: Iterable[RuleDefinition]) -> Iterable[RuleProblem]:
    seen: set[str] = set()
    for rule in definitions:
        if rule.id in seen:
            yield RuleProblem(rule.id, "id", 0, "another rule has the same id")
        seen.add(rule.id)


def _scored_twice(definitions: Iterable[RuleDefinition]) -> Iterable[RuleProblem]:
    of: dict[str, str] = {}
    for rule in definitions:
        if rule.score is not None and rule.status != "retired":
            name = rule.score.name
            if name in of:
                message = f"the rule {of[name]} has a score of this name already"
                yield RuleProblem(rule.id, "score.name", 0, message)
            of.setdefault(name, rule.id)


def _too_many_scores(definitions: Iterable[RuleDefinition]) -> Iterable[RuleProblem]:
    """A record keeps MAX_SCORES; one that falls off would be high anew with each event."""
    kept = [one for one in definitions if one.score and one.status not in ("draft", "retired")]
    for rule in kept[MAX_SCORES:]:
        message = f"{len(kept)} rules have a score: a customer keeps {MAX_SCORES}"
        yield RuleProblem(rule.id, "score", 0, message)


def _text(definition: BaseModel) -> str:
    """What a definition is told by; examples change nothing of what a rule does."""
    return definition.model_dump_json(by_alias=True, exclude={"examples"})


NO_RULES = compile_rules([])
