"""Rules that wait for a date: their timers follow it.

A date that moves takes its timers along; one that is gone, or whose thing is, ends them. A timer
that fired is set for the next year, or stays, marked, as long as there is the date: so hearing of
it again does not fire it twice.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from schemas.activity import Timer
from schemas.envelope import Data
from schemas.profile import ProfileSection
from schemas.record import Record
from streams import timers
from streams.fold.basics import MAX_FAMILY
from streams.fold.bounded import key_of
from streams.inputs import Input
from streams.waits import own
from streams.waits.days import Bank, Days
from streams.waits.own import FAMILY, OWN
from streams.waits.things import KINDS


class DateWait(Struct, frozen=True):
    """What a rule waits for: the dates of one kind."""

    rule: str
    kind: str
    days: Days
    sets: frozenset[str]
    """The event types after which it waits; others of its kind only move and end its timers."""
    date: str
    """Of the customer's own: which."""
    of: tuple[str, ...] = ()
    """Of the family: of whom."""

    @property
    def types(self) -> Iterable[str]:
        """The event types that concern it."""
        return KINDS[self.kind].types if self.kind in KINDS else (own.TYPE,)

    @property
    def is_own(self) -> bool:
        return self.kind not in KINDS

    @property
    def most(self) -> int:
        """How many timers an event may set."""
        return MAX_FAMILY if self.kind == FAMILY else 1


def update(record: Record, event: Input, waits: Iterable[DateWait], bank: Bank) -> None:
    """After an event was folded: set, move and end the timers of the waits that it concerns."""
    _end(record, event.type)
    for wait in waits:
        if wait.is_own:
            _follow_own(record, event, wait, bank)
        else:
            _follow_thing(record, event, wait, bank)
    timers.settle(record)


def arm(record: Record, event: Input, waits: Iterable[DateWait], bank: Bank) -> None:
    """Bring the timers of the customer's own dates in line with rules that changed; the event is
    the first one since then. The dates are there, and nobody may tell of them again."""
    wanted = {(wait.rule, wait.kind): wait for wait in waits}
    for key in list(record.activity.timers):
        rule, kind, _ = timers.parts_of(key)
        if kind in (OWN, FAMILY) and (rule, kind) not in wanted:
            del record.activity.timers[key]
    update(record, event, wanted.values(), bank)


def _end(record: Record, event_type: str) -> None:
    """End the timers of things that an event of this type ended, or made fall off the record."""
    kept, profile = record.activity.timers, record.profile
    for key in list(kept):
        _, name, thing = timers.parts_of(key)
        kind = KINDS.get(name)
        if kind and event_type in kind.types and kind.find(profile, thing) is None:
            del kept[key]


def _follow_thing(record: Record, event: Input, wait: DateWait, bank: Bank) -> None:
    kind, kept = KINDS[wait.kind], record.activity.timers
    name = key_of(getattr(event.event.data, kind.id))
    key = timers.key_of(wait.rule, wait.kind, name)
    thing = kind.find(record.profile, name)
    if thing is not None and (event.type in wait.sets or key in kept):
        _set(kept, key, kind.day(thing), event, wait.days, event.at, bank)


def _follow_own(record: Record, event: Input, wait: DateWait, bank: Bank) -> None:
    """An event that comes late sets no timer for a day that was over before others came."""
    kept, days = record.activity.timers, _own_days(record.profile, wait)
    start = timers.key_of(wait.rule, wait.kind, "")
    for key in [key for key in kept if key.startswith(start)]:
        if timers.parts_of(key).name not in days:
            del kept[key]
    since = max(event.at, record.activity.latest)
    for name, day in days.items():
        _set(kept, start + name, day, event, wait.days, since, bank)


def _set(
    kept: dict[str, Timer],
    key: str,
    day: str | None,
    event: Input,
    days: Days,
    since: int,
    bank: Bank,
) -> None:
    """Set the timer for a day, unless it is set for that day already, or has fired for it."""
    before = kept.get(key)
    if before is not None and before.about == day:
        return
    due = None if day is None else days.first(day, since, bank)
    if day is None or due is None:
        kept.pop(key, None)
    else:
        kept[key] = timers.timer(event, day, due)


def _own_days(profile: ProfileSection, wait: DateWait) -> Mapping[str, str]:
    if wait.kind == FAMILY:
        return own.birthdays(profile, wait.of)
    return own.own_day(profile, wait.date)


def ring(timer: Timer, wait: DateWait, bank: Bank) -> None:
    """It fires: it is set for the next year, or marked."""
    following = wait.days.again(timer.about, timer.due, bank)
    if following is None:
        timer.fired = True
    else:
        timer.due = following


def told(profile: ProfileSection, kind: str, name: str) -> Data | None:
    """What a timer is about, as its event would tell it now; None if there is none any more, or it
    cannot be told (what is held is above what an event may say)."""
    try:
        if kind not in KINDS:
            return own.tell(profile)
        thing = KINDS[kind].find(profile, name)
        return None if thing is None else KINDS[kind].tell(name, thing)
    except ValueError:
        return None
