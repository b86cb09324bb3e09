"""The check of how a rule waits."""

from collections.abc import Iterator

from schemas.events import EVENT_TYPES
from schemas.rule_waits import Wait, Without
from schemas.rules import RuleDefinition
from streams.durations import DAY_MS, parse_duration
from streams.expressions.catalogue import common_fields
from streams.expressions.check import Scope, check
from streams.expressions.nodes import Base, Node, Type
from streams.expressions.parse import ExpressionError, nearest
from streams.rules.errors import RuleProblem
from streams.waits.absence import Absence
from streams.waits.deposits import SETTING_TYPES

MAX_DAYS = 1_830


def check_wait(rule: RuleDefinition) -> tuple[Absence | None, list[RuleProblem]]:
    """What a rule waits without, if it does, and what is wrong with its wait. The types that it
    listens to are known to be some."""
    wait = rule.wait
    if wait is None:
        return None, []
    if wait.without is None and rule.sequence is not None:
        message = "a rule that waits for a date has no sequence: nothing comes at that time"
        return None, [RuleProblem(rule.id, "sequence", 0, message)]
    if wait.without is None:
        return None, list(_date_problems(rule, wait))
    return _absence(rule, wait.for_ or "", wait.without)


def _date_problems(rule: RuleDefinition, wait: Wait) -> Iterator[RuleProblem]:
    others = [name for name in rule.on if name not in SETTING_TYPES]
    for name in others:
        allowed = " and ".join(SETTING_TYPES)
        yield RuleProblem(rule.id, "wait", 0, f"a rule can wait after {allowed}, not after {name}")
    if others:
        return
    fields = common_fields(_types(rule.on))
    days = [name for name, kind in fields.items() if kind.base is Base.DAY]
    if wait.before not in days:
        hint = nearest(wait.before or "", days)
        message = f"{wait.before} is no date of {' and '.join(rule.on)}{hint}"
        yield RuleProblem(rule.id, "wait.before", 0, message)


def _absence(
    rule: RuleDefinition, length: str, without: Without
) -> tuple[Absence | None, list[RuleProblem]]:
    unknown = [name for name in without.on if name not in EVENT_TYPES]
    if unknown:
        return None, [
            RuleProblem(
                rule.id,
                "wait.without",
                0,
                f"{name} is no event type{nearest(name, EVENT_TYPES)}",
            )
            for name in unknown
        ]
    problems, where = list[RuleProblem](), None
    if not 0 < parse_duration(length) <= MAX_DAYS * DAY_MS:
        problems.append(RuleProblem(rule.id, "wait.for", 0, f"a wait is from 1s to {MAX_DAYS}d"))
    types = tuple(sorted(set(without.on)))
    if without.where is not None:
        try:
            where = _where(without.where, types)
        except ExpressionError as error:
            key = "wait.without.where"
            problems.append(RuleProblem(rule.id, key, error.column, error.message))
    problems += _same_problems(rule, without)
    text, same = without.where or "", tuple(without.same)
    return Absence(rule.id, parse_duration(length), types, where, text, same), problems


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
