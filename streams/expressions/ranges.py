"""Between what a value always is, or is meant to be, where that is known."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from schemas.fields import RATE_DECIMALS
from streams.expressions.catalogue import TOTALS
from streams.expressions.nodes import (
    Absolute,
    Aggregate,
    And,
    Arithmetic,
    Clock,
    Days,
    EventField,
    FactField,
    Gathered,
    ItemField,
    Let,
    Node,
    ProfileField,
    Reading,
    Rounded,
    StepField,
)
from streams.expressions.ways import WEEKDAY
from streams.streaks import LONGEST_STREAK


class Range(NamedTuple):
    low: int | None
    high: int | None
    why: str


class Waited(NamedTuple):
    """The date that a rule waits for, where that says how far off it is when it fires."""

    date: str
    """The event's field."""
    most: int
    """So many days until it, or fewer."""
    why: str


RangeOf = Callable[[Node], Range | None]
_COUNT = Range(0, None, "a count is 0 or more")
_SHARE = Range(0, 1, "a share is from 0 to 1, and 20% is 0.2")
_RATE = Range(-1, 1, "a rate is a fraction, and 3.1% is 0.031")
_STREAK = Range(0, LONGEST_STREAK, f"a streak is counted up to {LONGEST_STREAK}")
_AGE = Range(0, None, "an age is 0 or more")
_CLOCKS = {
    "hour": Range(0, 23, "an hour is from 0 to 23"),
    "weekday": Range(1, 7, WEEKDAY),
}
_SIZE = Range(0, None, "it is 0 or more")
_LONGER = "a longer window has what a shorter one has"
_OWN = Range(1, None, "the event that is looked at is counted, too: prior=true leaves it out")
_BOUNDS = {"max": (None, 0), "min": (0, None)}
"""An aggregate of events that an event is one of → its own value less that, from and to."""
_NEWEST = {"last": (0, 0)}
"""Unless the event came late."""


def resolved(node: Node, lets: Mapping[str, Node]) -> Node:
    """What a let stands for."""
    while isinstance(node, Let):
        node = lets[node.name]
    return node


def known_ranges(
    lets: Mapping[str, Node],
    counted: frozenset[str] = frozenset(),
    waited: Waited | None = None,
) -> RangeOf:
    """What values always are. `counted` are the types of an event that is in all windows already,
    of one of them."""

    def of(node: Node) -> Range | None:
        node = resolved(node, lets)
        match node:
            case Reading(aggregate=one):
                return _of_window(one, counted)
            case Arithmetic(operator="/", left=left, right=right):
                return _SHARE if _is_share(left, right) else None
            case Arithmetic(operator="-", left=left, right=right):
                return _of_own(resolved(left, lets), resolved(right, lets), _BOUNDS, counted)
            case Gathered() | ProfileField() if _is_counted(node):
                return _COUNT
            case Absolute() | Clock():
                return _CLOCKS[node.name] if isinstance(node, Clock) else _SIZE
            case Days(function=function, part=part) if waited is not None:
                return _of_wait(function, resolved(part, lets), waited)
            case Rounded(part=part) if not isinstance(part, Rounded):
                return of(part)  # rounding leaves whole numbers as they are, and so their order
        return None

    return of


def usual_ranges(
    known: RangeOf, lets: Mapping[str, Node], counted: frozenset[str] = frozenset()
) -> RangeOf:
    """What values are meant to be, though events might say otherwise."""

    def of(node: Node) -> Range | None:
        node = resolved(node, lets)
        match node:
            case Rounded(part=part) if not isinstance(part, Rounded):
                return of(part)
            case Arithmetic(operator="/", left=part, right=whole) if _is_share(part, whole, "sum"):
                return _SHARE
            case Arithmetic(operator="-", left=left, right=right):
                one, other = resolved(left, lets), resolved(right, lets)
                own = _of_own(one, other, _NEWEST, counted)
                return own or _of_difference(one, other) or known(node)
            case FactField(name="rate", function=function) if function != "fx":
                return _RATE
            case EventField(name="rate") | ItemField(name="rate") | StepField(name="rate"):
                return _RATE if node.type.decimals == RATE_DECIMALS else None
            case ItemField(name="age"):
                return _AGE
        return known(node)

    return of


def _of_window(one: Aggregate, counted: frozenset[str]) -> Range | None:
    match one.function:
        case "count":
            return _OWN if _counts_own(one, counted) else _COUNT
        case "distinct":
            return _COUNT
        case "streak":
            return _STREAK
        case "stddev":
            return _SIZE
    return None


def _is_counted(node: Gathered | ProfileField) -> bool:
    if isinstance(node, Gathered):
        return node.function in ("count", "distinct")
    return node.name in TOTALS and not node.name.startswith("base_")


def _counts_own(one: Aggregate, counted: frozenset[str]) -> bool:
    """Whether the event that is looked at is always one of its events."""
    now = one.months is None or one.months[1] == 0
    whole = one.where is None and not one.prior and not one.prior_by and now
    return whole and bool(counted) and counted <= {*one.types}


def _of_own(
    left: Node,
    right: Node,
    bounds: Mapping[str, tuple[int | None, int | None]],
    counted: frozenset[str],
) -> Range | None:
    """Of the event's own field less what a window that counts it makes of that field."""
    match left, right:
        case EventField() as own, Reading(aggregate=one) if one.function in bounds:
            low, high = bounds[one.function]
        case Reading(aggregate=one), EventField() as own if one.function in bounds:
            above, below = bounds[one.function]
            low, high = _negated(below), _negated(above)
        case _:
            return None
    alike = isinstance(one.value, EventField) and one.value.name == own.name
    alike &= own.type.decimals is not None  # else a window keeps it rounded
    return Range(low, high, _OWN.why) if alike and _counts_own(one, counted) else None


def _negated(bound: int | None) -> int | None:
    return None if bound is None else -bound


def _of_wait(function: str, part: Node, waited: Waited) -> Range | None:
    if not isinstance(part, EventField) or part.name != waited.date:
        return None
    if function == "days_since":
        return Range(-waited.most, None, waited.why)
    return Range(None, waited.most, waited.why)


def _of_difference(left: Node, right: Node) -> Range | None:
    """Of counts: windows that began at different times may say otherwise for a while."""
    if _is_shorter(left, right):
        return Range(None, 0, _LONGER)
    return Range(0, None, _LONGER) if _is_shorter(right, left) else None


def _is_shorter(left: Node, right: Node) -> bool:
    """Whether one counts over a shorter time what the other counts."""
    match left, right:
        case Reading(aggregate=one), Reading(aggregate=other):
            if one.function not in ("count", "distinct") or one.months or other.months:
                return False
            return one.length < other.length and replace(one, length=other.length) == other
    return False


def _is_share(part: Node, whole: Node, function: str = "count") -> bool:
    """Whether one is made of some of what the other is made of."""
    match part, whole:
        case Reading(aggregate=one), Reading(aggregate=other):
            alike = one.types == other.types and one.value == other.value
            alike &= (one.length, one.months, one.prior, one.prior_by) == (
                other.length,
                other.months,
                other.prior,
                other.prior_by,
            )
        case Gathered() as one, Gathered() as other:
            alike = one.list == other.list and one.value == other.value
        case _:
            return False
    functions = one.function == other.function == function
    return functions and alike and _is_narrower(one.where, other.where)


def _is_narrower(one: Node | None, other: Node | None) -> bool:
    return other is None or one == other or (isinstance(one, And) and other in one.parts)
