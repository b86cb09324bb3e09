"""What every customer is told once: campaigns and holidays, each from its own time on.

A partition begins a broadcast when the partition's time has reached it, and goes through its
customers in the order of their names, a slice a chunk; the position keeps the place. Whoever has an
event or a timer meanwhile is told before it. A customer who comes while a broadcast is under way,
or after that until its last day, is told after the events of the chunk that brought it. So each
customer who is there when the walk ends, or comes before it is over, is told once. Who was told out
of turn has the broadcast's number in the record's header; who came after the walk needs none.

A customer is of whom something of its own was told: who is only named in relations of others is
told nothing, and comes with the first event of its own.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from operator import attrgetter
from typing import NamedTuple

from msgspec.structs import replace

from schemas.events.campaign import BROADCAST_TYPES
from schemas.position import Walk
from schemas.record import Record
from streams.announced import Announced
from streams.context import Context
from streams.months import day_at

WALK_SLICE = 200
"""At most so many customers are gone through in one chunk."""


class Pending(NamedTuple):
    """A broadcast under way in a partition."""

    number: int
    """Counts those that the partition began."""
    told: Announced


class Round(NamedTuple):
    """What a chunk has to do with broadcasts."""

    pending: tuple[Pending, ...] = ()
    """In order. The first may have been taken back: then it is not among them."""
    first: int = 0
    """The number of the one that customers are gone through for."""
    after: str = ""
    """Customers up to this one had it before the chunk."""
    visit: tuple[str, ...] = ()
    """Those of the slice, but for who may be left out because the record's header says that it
    had it."""
    upto: str | None = ""
    """Customers up to this one have it after the slice; None: all of them."""


NO_ROUND = Round()


def begin(before: Walk, reached: int, known: int, context: Context) -> Walk:
    """The walk with what begins now: whose time lies after the partition's time before, `reached`,
    or whose message was not known then, standing at `known` or behind.

    What is over, or interests no rule, is left out for good.
    """
    now = context.partition_time
    if now < 0 or not listens(context):
        return before
    fresh = [
        one
        for one in _told_between(reached, now, known, context)
        if context.rules.listens(one.type)
        and not is_over(one, context.partition_time, context.settings.time_zone)
    ]
    if not fresh:
        return before
    names = [one.name for one in _in_order(fresh)]
    return replace(before, begun=before.begun + len(names), queue=[*before.queue, *names])


def running(context: Context) -> tuple[Announced, ...]:
    """What customers are told of at the partition's time and is not over, in the order of times."""
    now, rules = context.partition_time, context.rules
    return tuple(
        one
        for one in _in_order((*context.settings.holidays, *context.facts.announced.values()))
        if one.at <= now
        and rules.listens(one.type)
        and not is_over(one, now, context.settings.time_zone)
    )


def for_newcomer(one: Announced, record: Record) -> Pending:
    """What is running, as of when the customer came: what is to be done is due from then on."""
    at = max(one.at, record.activity.latest)
    return Pending(record.header.last_broadcast, replace(one, at=at))


def _in_order(told: Iterable[Announced]) -> list[Announced]:
    return sorted(told, key=attrgetter("at", "name"))


def listens(context: Context) -> bool:
    """Whether a rule listens to broadcasts at all."""
    return any(map(context.rules.listens, BROADCAST_TYPES))


def round_of(walk: Walk, context: Context) -> Round:
    """What is under way, without a slice."""
    if not walk.queue:
        return NO_ROUND
    first = walk.begun - len(walk.queue) + 1
    told = {one.name: one for one in context.settings.holidays}
    told |= context.facts.announced
    pending = tuple(
        Pending(number, told[name]) for number, name in enumerate(walk.queue, first) if name in told
    )
    return Round(pending, first, walk.after, (), walk.after)


def walked(walk: Walk, upto: str | None) -> Walk:
    """The walk after a slice."""
    if upto is None:
        return replace(walk, queue=walk.queue[1:], after="")
    return replace(walk, after=upto) if upto != walk.after else walk


def slice_between(before: Walk, after: Walk) -> str | None:
    """Up to whom a slice went that leads from the one to the other, None for all.

    Where none does (other rules began other broadcasts), one goes through all at once.
    """
    upto = after.after if after.queue == before.queue else None
    return upto if before.queue else before.after


def _told_between(reached: int, now: int, known: int, context: Context) -> Iterator[Announced]:
    holidays = context.settings.holidays
    start, end = (bisect_right(holidays, at, key=attrgetter("at")) for at in (reached, now))
    yield from holidays[start:end]
    for one in context.facts.announced.values():
        if one.at <= now and (one.at > reached or one.offset >= known):
            yield one


def is_over(one: Announced, now: int, zone: tzinfo) -> bool:
    """Whether nobody is told of it any more at a time (epoch milliseconds)."""
    return one.last_day < day_at(now, zone).isoformat()
