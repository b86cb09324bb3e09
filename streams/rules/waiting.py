"""The check of how a rule waits."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.events import EVENT_TYPES
from schemas.events.campaign import BROADCAST_TYPES
from schemas.rule_waits import Wait, Without
from schemas.rules import RuleDefinition
from streams.attributes import Attributes
from streams.durations import DAY_MS, parse_duration
from streams.expressions.catalogue import attribute_fields, common_fields
from streams.expressions.check import check
from streams.expressions.nodes import Base, Node, Type
from streams.expressions.parse import ExpressionError, nearest
from streams.expressions.scope import Scope
from streams.expressions.unknown import event_type
from streams.expressions.ways import sensitive, undeclared
from streams.rules.errors import RuleProblem, problems_of
from streams.waits import own
from streams.waits.absence import Absence
from streams.waits.dates import DateWait
from streams.waits.days import days_of
from streams.waits.own import ATTRIBUTES, FAMILY, OWN
from streams.waits.things import KIND_OF

MAX_DAYS = 1_830


class Waits(NamedTuple):
    """How a rule waits, if it does."""

    absence: Absence | None = None
    dates: Sequence[DateWait] = ()
    """By the kinds of what its events tell of."""


NO_WAIT = Waits()


def check_wait(rule: RuleDefinition, attributes: Attributes) -> tuple[Waits, list[RuleProblem]]:
    """How a rule waits, and what is wrong with that. The types that it listens to are known to be
    some."""
    wait = rule.wait
    if wait is None:
        return NO_WAIT, []
    for name in rule.on:
        if name in BROADCAST_TYPES:
            message = f"{name} is told to every customer at once: no rule waits after it"
            return NO_WAIT, [RuleProblem(rule.id, "wait", 0, message)]
    if wait.without is not None:
        return _absence(rule, wait.for_ or "", wait.without)
    if rule.sequence is not None:
        message = "a rule that waits for a date has no sequence: nothing comes at that time"
        return NO_WAIT, [RuleProblem(rule.id, "sequence", 0, message)]
    if problems := list(_date_problems(rule, wait, attributes)):
        return NO_WAIT, problems
    return Waits(dates=list(_dates(rule, wait))), []


def _dates(rule: RuleDefinition, wait: Wait) -> Iterator[DateWait]:
    days = days_of(wait)
    if _is_own(rule):
        whose = OWN if wait.of is None else FAMILY
        of = tuple(wait.of or ())
        yield DateWait(rule.id, whose, days, tuple(rule.on), wait.date, of)
        return
    kinds = {KIND_OF[name].name: KIND_OF[name] for name in rule.on}
    for kind in kinds.values():
        sets = tuple(name for name in kind.sets if name in rule.on)
        yield DateWait(rule.id, kind.name, days, sets, wait.date)


def _is_own(rule: RuleDefinition) -> bool:
    return set(rule.on) == {own.TYPE}


def _date_problems(
    rule: RuleDefinition, wait: Wait, attributes: Attributes
) -> Iterator[RuleProblem]:
    key = "wait.before" if wait.before else "wait.after"
    if _is_own(rule):
        if (message := _own_problem(wait.date, attributes)) is not None:
            yield RuleProblem(rule.id, key, 0, message)
        return
    if wait.every is not None:
        message = "a rule that waits for a date of every year has no `on`"
        yield RuleProblem(rule.id, "on", 0, message)
        return
    others = [name for name in rule.on if name not in KIND_OF]
    for name in others:
        allowed = ", ".join(sorted((*KIND_OF, own.TYPE)))
        message = f"a rule can wait for a date after {allowed}, not after {name}"
        yield RuleProblem(rule.id, "on", 0, message)
    if not others and any(KIND_OF[name].date != wait.date for name in rule.on):
        dates = dict.fromkeys(KIND_OF[name].date for name in rule.on)
        message = f"{wait.date} is no date of {' and '.join(rule.on)} that rules wait for"
        hint = nearest(wait.date, dates) or f"; there is {' or '.join(dates)}"
        yield RuleProblem(rule.id, key, 0, message + hint)


def _own_problem(date: str, attributes: Attributes) -> str | None:
    days = {name for name, kind in attribute_fields(attributes).items() if kind.base is Base.DAY}
    known = [*own.FIELDS, *(f"{ATTRIBUTES}{name}" for name in sorted(days))]
    if date in known:
        return None
    declared = attributes.declared.get(date.removeprefix(ATTRIBUTES))
    if date.startswith(ATTRIBUTES) and declared is None:
        return undeclared(date.removeprefix(ATTRIBUTES), days)
    if date.startswith(ATTRIBUTES) and declared is not None and declared.sensitive:
        return sensitive(date)
    return f"{date} is no date of a customer{nearest(date, known)}"


def _absence(
    rule: RuleDefinition, length: str, without: Without
) -> tuple[Waits, list[RuleProblem]]:
    key = "wait.without"
    unknown = [name for name in without.on if name not in EVENT_TYPES]
    problems = [RuleProblem(rule.id, key, 0, event_type(name, EVENT_TYPES)) for name in unknown]
    if unknown:
        return NO_WAIT, problems
    if not 0 < parse_duration(length) <= MAX_DAYS * DAY_MS:
        problems.append(RuleProblem(rule.id, "wait.for", 0, f"a wait is from 1s to {MAX_DAYS}d"))
    types, where = tuple(sorted(set(without.on))), None
    if without.where is not None:
        try:
            where = _where(without.where, types)
        except ExpressionError as error:
            problems += problems_of(rule.id, f"{key}.where", error)
    problems += _same_problems(rule, without)
    text, same = without.where or "", tuple(without.same)
    absence = Absence(rule.id, parse_duration(length), types, where, text, same)
    return Waits(absence), problems


def _where(text: str, types: tuple[str, ...]) -> Node:
    return check(text, Scope(types, inside="an answer"), Base.FLAG)


def _same_problems(rule: RuleDefinition, without: Without) -> Iterator[RuleProblem]:
    asked, answering = common_fields(_types(rule.on)), common_fields(_types(without.on))
    both = [name for name in asked if name in answering and _alike(asked, answering, name)]
    for name in without.same:
        if name not in both:
            events = " and ".join(_types([*rule.on, *without.on]))
            message = f"{name} is no field that is alike in {events}{nearest(name, both)}"
            yield RuleProblem(rule.id, "wait.without.same", 0, message)


def _alike(one: dict[str, Type], other: dict[str, Type], name: str) -> bool:
    return one[name].base is other[name].base


def _types(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
