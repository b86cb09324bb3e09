"""The slow, readable twin of compile: says what an expression means. Tests compare the two."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, tzinfo
from decimal import Decimal
from typing import Any

from msgspec import Struct

from schemas.envelope import from_millis
from schemas.record import Record
from streams.assets import assets_by_month, loans_by_month, totals
from streams.expressions import values
from streams.expressions.catalogue import TOTALS
from streams.expressions.lists import LISTS
from streams.expressions.nodes import (
    Absolute,
    Aggregate,
    And,
    Arithmetic,
    Attribute,
    Clock,
    Compare,
    Days,
    Default,
    EventField,
    FactField,
    Gathered,
    HasTag,
    HasText,
    Holds,
    ItemField,
    Known,
    Let,
    Literal,
    MonthEnd,
    Node,
    Not,
    OneOf,
    Or,
    ProfileField,
    Reading,
    Rounded,
    ScoreField,
    StepField,
)
from streams.facts import NO_FACTS, Facts
from streams.months import moment

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": lambda left, right: values.within(left + right),
    "-": lambda left, right: values.within(left - right),
    "*": values.product,
    "/": values.quotient,
}


@dataclass(frozen=True)
class World:
    """What an expression is evaluated in."""

    data: Struct
    record: Record
    lets: Mapping[str, Node]
    aggregate: Callable[[Aggregate], Any]
    steps: Sequence[Mapping[str, Any]] = ()
    """Of a sequence, each step's values by name."""
    facts: Facts = NO_FACTS
    at: int = 0
    """The event's time, epoch milliseconds."""
    zone: tzinfo = UTC
    item: Any = None
    """The thing of a list that is looked at."""


def interpret(node: Node, world: World) -> Any:
    """An expression's value; None is unknown."""
    match node:
        case Literal():
            value: Any = node.value
        case EventField():
            value = values.present(getattr(world.data, node.name))
        case ProfileField() | Attribute() | ScoreField():
            value = _of_record(node, world.record)
        case FactField():
            value = _fact(node, world)
        case ItemField():
            value = getattr(world.item, node.name)
        case Gathered():
            value = _gathered(node, world)
        case StepField():
            value = world.steps[node.step][node.name]
        case Let():
            value = interpret(world.lets[node.name], world)
        case Reading():
            value = world.aggregate(node.aggregate)
        case Not() | And() | Or():
            value = _logic(node, world)
        case Known():
            value = interpret(node.part, world) is not None
        case Holds():
            value = interpret(node.part, world) is True
        case Default():
            value = interpret(node.part, world)
            value = interpret(node.otherwise, world) if value is None else value
        case _:
            value = _computed(node, world)
    return value


def _of_record(node: ProfileField | Attribute | ScoreField, record: Record) -> Any:
    if isinstance(node, ScoreField):
        return values.score_points(record, node.name)
    if isinstance(node, Attribute):
        return values.attribute_reader(node.type)(record.profile.attributes, node.name)
    if node.name in TOTALS:
        return getattr(totals(record.profile), TOTALS[node.name])
    return getattr(record.profile.basics, node.name)


def _fact(node: FactField, world: World) -> Any:
    key, found = interpret(node.key, world), world.facts.kinds.get(node.kind, {})
    fact = found.get(key)
    if node.function == "newest_product":
        day = from_millis(world.at).astimezone(world.zone).date().isoformat()
        offered = [
            one
            for one in found.values()
            if one.product_class == key
            and (one.offered_from is None or one.offered_from <= day)
            and (one.offered_until is None or day <= one.offered_until)
        ]
        fact = max(offered, key=lambda one: (one.offered_from or "", one.product), default=None)
    if fact is None:
        return None
    if node.name.startswith("title_"):
        return fact.title.get(node.name.removeprefix("title_"))
    return getattr(fact, node.name)


def _gathered(node: Gathered, world: World) -> Any:
    found: list[Any] = []
    for item in LISTS[node.list].of(world.record, world.at, world.zone):
        there = replace(world, item=item)
        if node.where is None or interpret(node.where, there) is True:
            found.append(None if node.value is None else interpret(node.value, there))
    known = [one for one in found if one is not None]
    match node.function:
        case "any":
            return len(found) > 0
        case "count":
            return len(found)
        case "sum":
            return values.total(known)
        case "avg":
            return values.quotient(values.total(known), len(known))
        case "distinct":
            return len(set(known))
        case "min":
            return sorted(known)[0] if known else None
        case "max":
            return sorted(known)[-1] if known else None
    raise TypeError(f"{node.function} makes nothing of a list")


def _of_time(node: Clock | Days, world: World) -> int | None:
    now = from_millis(world.at).astimezone(world.zone)
    if isinstance(node, Clock):
        return now.hour if node.name == "hour" else now.weekday() + 1
    value = interpret(node.part, world)
    try:
        between = (date.fromisoformat(value or "") - now.date()).days
    except ValueError:
        return None
    return -between if node.function == "days_since" else between


def _month_end(node: MonthEnd, world: World) -> Decimal | None:
    profile, month = world.record.profile, moment(world.at, world.zone).month
    newest = max([month, *world.record.activity.months])
    had = assets_by_month(profile, newest, totals(profile).assets).get(month - node.ago)
    if had is None or node.name == "base_assets":
        return had
    owed = loans_by_month(profile, newest, totals(profile).base_loans)
    return owed.get(month - node.ago, Decimal(0))


def _logic(node: Not | And | Or, world: World) -> bool | None:
    """Kleene's three-valued logic."""
    if isinstance(node, Not):
        value = interpret(node.part, world)
        return None if value is None else not value
    decisive = isinstance(node, Or)
    found = [interpret(part, world) for part in node.parts]
    if decisive in found:
        return decisive
    return None if None in found else not decisive


def _computed(node: Node, world: World) -> Any:
    """What is unknown as soon as one of its parts is."""
    match node:
        case Compare() | Arithmetic():
            left, right = interpret(node.left, world), interpret(node.right, world)
            known = left is not None and right is not None
            return _OPERATORS[node.operator](left, right) if known else None
        case OneOf():
            value = interpret(node.value, world)
            return None if value is None else value in [one.value for one in node.options]
        case HasTag():
            value = interpret(node.value, world)
            return None if value is None else value in world.record.profile.tags
        case HasText():
            value, texts = interpret(node.value, world), interpret(node.texts, world)
            return None if value is None or texts is None else value in texts
        case Clock() | Days():
            return _of_time(node, world)
        case MonthEnd():
            return _month_end(node, world)
        case Absolute():
            value = interpret(node.part, world)
            return None if value is None else abs(value)
        case Rounded():
            return values.rounded(interpret(node.part, world), node.decimals)
        case _:
            raise TypeError(f"{type(node).__name__} has no meaning of its own")
