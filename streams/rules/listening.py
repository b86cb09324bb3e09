"""The rules that listen to one thing: evaluated together, and what follows from those that hold."""

from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from typing import NamedTuple

from msgspec.structs import replace

from schemas.envelope import Data
from schemas.record import Record
from schemas.rule_scores import Score
from streams.expressions.nodes import Aggregate
from streams.expressions.values import render
from streams.facts import Facts
from streams.rules.amending import kept_values
from streams.rules.compiled import CompiledRule, compile_together
from streams.rules.firing import NOTHING, Fired, Firing
from streams.rules.gate import withheld
from streams.rules.readings import Readings, Unknown
from streams.rules.scores import keep, reckon, said
from streams.waits.absence import Waiting


class Seen(NamedTuple):
    """What rules look at besides the record."""

    data: Data
    readings: Readings | Unknown
    facts: Facts
    at: int
    """The event's time, or when the timer was due; epoch milliseconds."""


class Listening:
    """The rules that listen to an event type, in one function: most are looked at and do not
    hold."""

    __slots__ = ("absences", "evaluate", "rules")

    def __init__(
        self, rules: Sequence[CompiledRule], number_of: Callable[[Aggregate], int], zone: tzinfo
    ) -> None:
        self.rules = rules
        self.absences = sum(rule.checked.waits.absence is not None for rule in rules)
        self.evaluate = compile_together([rule.checked for rule in rules], number_of, zone)

    def apply(
        self, record: Record, data: Data, readings: Readings | Unknown, facts: Facts, at: int
    ) -> Fired:
        """What evaluating them one by one gives, see `evaluate_each`."""
        rules = self.rules
        try:
            found = self.evaluate(record, data, readings, facts, at)
        except Exception:  # what several of them look at raised: to each its own loss alone
            return evaluate_each(rules, record, Seen(data, readings, facts, at))
        if not found:
            return NOTHING
        return _settle([(rules[place], values) for place, values in found], record, at)


def evaluate_each(rules: Iterable[CompiledRule], record: Record, seen: Seen) -> Fired:
    """Evaluate rules whose gate is open, one by one: which fired, which wait for an answer, and
    which raised."""
    held: list[_Held] = []
    for rule in rules:
        if not _is_evaluated(rule, record, seen.at):
            continue
        try:
            values = rule.evaluate(record, *seen)
        except Exception:  # whatever a rule raises is its own loss alone
            held.append((rule, None))
            continue
        if values is not None:
            held.append((rule, values))
    return _settle(held, record, seen.at)


def _is_evaluated(rule: CompiledRule, record: Record, at: int) -> bool:
    """What no gate ends, waiting and scores, goes on behind a closed one."""
    goes_on = rule.checked.waits.absence is not None or rule.definition.score is not None
    return goes_on or not is_closed(rule, record, at)


_Held = tuple[CompiledRule, Sequence[object] | None]
"""A rule whose condition holds, with what it shows; without, one that raised."""


def _settle(held: Iterable[_Held], record: Record, at: int) -> Fired:
    """What follows from rules whose condition holds, all of them evaluated: whoever fires notes it
    in its gate, whoever scores in the profile. What a rule shows is made before that, so one that
    raises there has noted nothing."""
    firings: list[Firing] = []
    failed: list[str] = []
    waiting: list[Waiting] = []
    amendable: list[Firing] = []
    scored = False
    for rule, values in held:
        if values is None:
            if _is_evaluated(rule, record, at):
                failed.append(rule.id)
            continue
        try:
            if (absent := rule.checked.waits.absence) is not None:
                waiting.append(Waiting(absent, _shown(rule, values)))
            elif rule.definition.score is not None:
                scored |= _score(rule, rule.definition.score, values, record, at, firings)
            elif not is_closed(rule, record, at):
                if rule.definition.amendable:
                    amendable.append(fire(rule, kept_values(rule, values), record, at))
                else:
                    firings.append(fire(rule, _shown(rule, values), record, at))
        except Exception:  # whatever a rule raises is its own loss alone
            failed.append(rule.id)
    if firings or failed or waiting or scored or amendable:
        return Fired(firings, failed, tuple(waiting), scored, tuple(amendable))
    return NOTHING


def _score(
    rule: CompiledRule,
    definition: Score,
    values: Sequence[object],
    record: Record,
    at: int,
    firings: list[Firing],
) -> bool:
    """Keep the rule's score, and fire it where that becomes high; whether it is another one."""
    own = len(rule.names)
    found = reckon(record, definition, values[own:], at)
    if found is None:
        return False
    score = found.score
    if found.crosses(definition) and not is_closed(rule, record, at):
        score = replace(score, raised=True)
        shown = _shown(rule, values[:own]) | {"score": str(score.points)}
        reasons = tuple(one.reason for one in found.reasons)
        shown["reasons"] = said(reasons, "en", shown)
        firings.append(fire(rule, shown, record, at)._replace(reasons=reasons))
    return keep(record, definition.name, score)


def is_closed(rule: CompiledRule, record: Record, at: int) -> bool:
    return rule.gate is not None and rule.gate.closed(record, at) is not None


def _shown(rule: CompiledRule, values: Iterable[object]) -> dict[str, str]:
    return dict(zip(rule.names, map(render, values), strict=True))


def fire(rule: CompiledRule, shown: dict[str, str], record: Record, at: int) -> Firing:
    if rule.gate is not None:
        rule.gate.note(record.activity, at)
    kept_back = withheld(rule.definition, record.customer)
    return Firing(rule.definition, shown, kept_back, choices=rule.choices)
