"""The rule set's slow twin: keeps every event in a list, interprets every expression."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from statistics import stdev
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from schemas.profile import Score
from schemas.record import Record
from schemas.rule_scores import Score as Definition
from schemas.rules import RuleDefinition
from streams.buckets.values import plain
from streams.durations import DAY_MS, parse_duration
from streams.expressions.catalogue import common_fields
from streams.expressions.interpret import World, interpret
from streams.expressions.nodes import Aggregate, Holds, Node, kept_decimals
from streams.expressions.values import present, render
from streams.facts import NO_FACTS, Facts
from streams.inputs import Input
from streams.rules.checked import CheckedRule, check_rule
from streams.rules.gate import percentile
from streams.streaks import LONGEST_STREAK
from streams.windows import width_of
from tests.rules.maker import DECLARED

ZONE = ZoneInfo("Asia/Shanghai")


def brute_force(aggregate: Aggregate, held: list[Input], event: Input, record: Record) -> Any:
    """An aggregate's value for an event that is the last one of `held`."""
    if aggregate.function == "streak":
        return _streak(aggregate, held, event, record)
    values = []
    for one in sorted(held, key=lambda one: one.at):
        if one.type not in aggregate.types or (aggregate.prior and one is event):
            continue
        if not _is_within(aggregate, one.at, event.at):
            continue
        world = World(one.event.data, record, {}, _none)
        if not _counts(aggregate, world):
            continue
        value = 1 if aggregate.value is None else interpret(aggregate.value, world)
        if value is not None:
            values.append((one.at, _kept(value, aggregate.decimals)))
    if aggregate.function in ("first", "last"):
        return _end(values, aggregate)
    return _finish(aggregate, [value for _, value in values])


def _counts(aggregate: Aggregate, world: World) -> bool:
    return aggregate.where is None or interpret(aggregate.where, world) is True


def _streak(aggregate: Aggregate, held: list[Input], event: Input, record: Record) -> int:
    """Of events at one instant those that break it come last."""
    counting: list[tuple[int, bool]] = []
    for one in held:
        if aggregate.prior and one is event:
            continue
        world = World(one.event.data, record, {}, _none)
        if one.type in aggregate.types and _counts(aggregate, world):
            counting.append((one.at, True))
        elif one.type in aggregate.without:
            counting.append((one.at, False))
    streak = 0
    for at, counts in sorted(counting, key=lambda pair: (pair[0], not pair[1])):
        if event.at - aggregate.length < at <= event.at:
            streak = streak + 1 if counts else 0
    return min(streak, LONGEST_STREAK)


def _is_within(aggregate: Aggregate, at: int, end: int) -> bool:
    if aggregate.months:
        first, last = aggregate.months
        return first <= _month(at) - _month(end) <= last
    width = width_of(aggregate.length)
    if width >= DAY_MS:
        at, end = _shown(at), _shown(end)
    last = (end - aggregate.prior_by) // width - 1 if aggregate.prior_by else end // width
    return (end - aggregate.length) // width < at // width <= last


def _shown(at: int) -> int:
    """What the clocks of the zone show, as if it were UTC's time."""
    shown = datetime.fromtimestamp(at // 1_000, ZONE).replace(tzinfo=UTC)
    return int(shown.timestamp()) * 1_000 + at % 1_000


def _month(at: int) -> int:
    local = datetime.fromtimestamp(at / 1_000, ZONE)
    return local.year * 12 + local.month


def _end(values: list[tuple[int, Any]], aggregate: Aggregate) -> Any:
    """Of several at the same time, the text of what is kept decides."""

    def rank(pair: tuple[int, Any]) -> tuple[int, str]:
        return pair[0], str(plain(pair[1], aggregate.decimals))

    if not values:
        return None
    return (min if aggregate.function == "first" else max)(values, key=rank)[1]


def _finish(aggregate: Aggregate, values: list[Any]) -> Any:
    match aggregate.function:
        case "count":
            return len(values)
        case "distinct":
            return len(set(values))
        case "sum":
            return sum(values)
        case "avg":
            enough = len(values) >= aggregate.at_least
            return sum(values, Decimal(0)) / len(values) if enough else None
        case "stddev":
            return stdev(map(Decimal, values)) if len(values) >= aggregate.at_least else None
        case "min":
            return min(values, default=None)
        case _:
            return max(values, default=None)


def _kept(value: Any, decimals: int) -> Any:
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
    return value


def _none(aggregate: Aggregate) -> None:
    raise AssertionError(f"{aggregate.function} inside an aggregate")


class Twin:
    def __init__(self, definitions: list[RuleDefinition], facts: Facts = NO_FACTS) -> None:
        self.facts = facts
        self.rules = {one.id: check_rule(one, DECLARED) for one in definitions}
        self.held: list[Input] = []
        self.fired: dict[str, list[int]] = {}
        self.waiting: list[tuple[str, dict[str, str]]] = []
        """Rules that wait for an answer to the last event, and what they show."""
        self.scores: dict[str, Score] = {}

    def apply(
        self, record: Record, event: Input, *, late: bool
    ) -> list[tuple[str, dict[str, str], bool]]:
        """Rules that fire, what they show, and whether they only would have acted."""
        if not late:
            self.held.append(event)
        fired, self.waiting = [], []
        for rule in self.rules.values():
            assert isinstance(rule, CheckedRule)
            definition = rule.definition
            if definition.status == "draft" or event.type not in definition.on:
                continue
            waits = definition.wait is not None
            if definition.score is not None:
                fired += self._scored(rule, definition.score, record, event, late=late)
                continue
            if not waits and not self._is_open(definition, record.customer, event.at):
                continue
            for chain in self._chains(rule, record, event, late=late):
                world = self._world(rule, record, event, chain, late=late)
                if interpret(rule.condition, world) is not True:
                    continue
                values = {name: interpret(node, world) for name, node in rule.shown.items()}
                shown = {name: render(value) for name, value in values.items()}
                if waits:
                    self.waiting.append((definition.id, shown))
                else:
                    fired.append((definition.id, shown, definition.status == "shadow"))
                    self.fired.setdefault(definition.id, []).append(event.at)
                break
        return fired

    def _scored(
        self, rule: CheckedRule, score: Definition, record: Record, event: Input, *, late: bool
    ) -> list[tuple[str, dict[str, str], bool]]:
        """`record` has the scores as they were before the event."""
        definition = rule.definition
        world = self._world(rule, record, event, [], late=late)
        if event.at < record.activity.latest or interpret(rule.condition, world) is not True:
            return []
        holds = [
            interpret(one.part, world) is True for one in rule.signals if isinstance(one, Holds)
        ]
        points = sum(one.points for one, held in zip(score.signals, holds, strict=True) if held)
        before = self.scores.get(score.name)
        raised = before is not None and before.raised and points >= score.release
        fires = points >= score.threshold and not raised
        fires = fires and self._is_open(definition, record.customer, event.at)
        places = [place for place, held in enumerate(holds) if held]
        now = Score(points=points, at=event.at, raised=raised or fires, signals=places)
        if before is None or replace(before, at=event.at) != now:
            self.scores[score.name] = now
        if not fires:
            return []
        self.fired.setdefault(definition.id, []).append(event.at)
        nodes = list(rule.shown.items())[: -len(score.signals)]
        shown = {name: render(interpret(node, world)) for name, node in nodes}
        reasons = [score.signals[place].reason.en for place in places]
        shown |= {"score": str(points), "reasons": "; ".join(reasons)}
        return [(definition.id, shown, definition.status == "shadow")]

    def _is_open(self, rule: RuleDefinition, customer: str, at: int) -> bool:
        fired = self.fired.get(rule.id, [])
        if rule.cooldown and rule.amendable:
            pause = parse_duration(rule.cooldown)
            if any(one // pause == at // pause for one in fired):
                return False
        elif rule.cooldown and fired and at < fired[-1] + parse_duration(rule.cooldown):
            return False
        if rule.limit:
            within = parse_duration(rule.limit.within)
            if sum(one > at - within for one in fired) >= rule.limit.times:
                return False
        day = datetime.fromtimestamp(at / 1_000, ZONE).date()
        if rule.active and not (rule.active.from_ or day) <= day <= (rule.active.until or day):
            return False
        return percentile(rule.id, customer) < rule.rollout

    def retract(self, event: Input) -> None:
        self.held = [one for one in self.held if one is not event]

    def _chains(
        self, rule: CheckedRule, record: Record, event: Input, *, late: bool
    ) -> Iterator[list[dict[str, Any]]]:
        """The values of each step's event, for all chains of events that lead to this one, the
        latest first; of a rule without a sequence the one chain without a step."""
        steps = rule.sequence.steps if rule.sequence else ()
        if steps and late:
            return
        within = parse_duration(rule.definition.sequence.within) if rule.definition.sequence else 0
        chains: list[list[Input]] = [[]]
        for step in steps:
            ones = [one for one in self.held if one.type in step.types]
            chains = [[*chain, one] for chain in chains for one in ones]
        found = []
        for chain in chains:
            times = [one.at for one in chain]
            if any(at >= later for at, later in pairwise([*times, event.at])):
                continue
            if times and times[0] < event.at - within:
                continue
            values = [_step_values(one, step.types) for one, step in zip(chain, steps, strict=True)]
            asked = [
                (part, World(one.event.data, record, {}, _none, values))
                for one, step in zip(chain, steps, strict=True)
                for part in (step.own, step.link)
                if part is not None
            ]
            if all(interpret(part, world) is True for part, world in asked):
                found.append((times[::-1], values))
        for _, values in sorted(found, key=lambda one: one[0], reverse=True):
            yield values

    def _world(
        self,
        rule: CheckedRule,
        record: Record,
        event: Input,
        steps: list[dict[str, Any]],
        *,
        late: bool,
    ) -> World:
        def aggregate(one: Aggregate) -> Any:
            return None if late else brute_force(one, self.held, event, record)

        lets: dict[str, Node] = rule.lets
        data = event.event.data
        return World(data, record, lets, aggregate, steps, self.facts, event.at, ZONE)


def _step_values(one: Input, types: tuple[str, ...]) -> dict[str, Any]:
    """What is seen of a step's event: numbers rounded to the decimals that are kept."""
    values = {}
    for name, kind in common_fields(types).items():
        value = present(getattr(one.event.data, name))
        values[name] = _kept(value, kept_decimals(kind))
    return values
