"""Rules that wait for a date: their timers follow it.

A date that moves takes its timers along; one that is gone, or whose thing is, ends them. A timer
that fired is set for the next year, or stays, marked, as long as there is the date: so hearing of
it again does not fire it twice.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from schemas.activity import Timer
from schemas.effects import Cause
from schemas.envelope import Data
from schemas.profile import ProfileSection
from schemas.record import Record
from streams import timers
from streams.fold.basics import MAX_FAMILY
from streams.fold.bounded import count_dropped, key_of
from streams.inputs import Input
from streams.timers import SILENCE
from streams.waits import absence, own
from streams.waits.days import Bank, Days
from streams.waits.own import FAMILY
from streams.waits.things import KINDS

TIMER_BYTES = 256
"""More than a timer takes, its event's source and id and the thing's id not counted."""
MAX_FOUND = 250
"""So many timers are set at once, where rules change that wait for dates."""


class DateWait(Struct, frozen=True):
    """What a rule waits for: the dates of one kind."""

    rule: str
    kind: str
    days: Days
    sets: tuple[str, ...]
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
    for wait in waits:
        if wait.is_own:
            _follow_own(record, event, wait, bank)
        else:
            _follow_thing(record, event, wait, bank)
    timers.settle(record)


def arm(
    record: Record, cause: Input | Cause, at: int, waits: Iterable[DateWait], bank: Bank
) -> bool:
    """Bring the timers in line with rules that changed, at the first occasion since then. True if
    some were set.

    The dates are there, and may not be told of again. What fired for a date stays so. Of more than
    MAX_FOUND those that are due last give way: else no event would fit into the record any more.
    """
    activity, kept = record.activity, record.activity.timers
    since = max(at, activity.latest)
    wanted = {(wait.rule, wait.kind): (wait, _days(record.profile, wait)) for wait in waits}
    if record.header.sequence:  # a first event has only just set those that there are
        _keep(kept, wanted, since, bank)
    found: dict[str, Timer] = {}
    for wait, days in wanted.values():
        for name, day in days.items():
            key = timers.key_of(wait.rule, wait.kind, name)
            if key not in kept:
                _set(found, key, day, cause, wait.days, since, bank)
    first = sorted(found, key=lambda key: (found[key].due, key))[:MAX_FOUND]
    if len(found) > len(first):
        count_dropped(activity.dropped, "timers", len(found) - len(first))
    kept.update((key, found[key]) for key in first)
    timers.settle(record)
    return bool(found)


def _keep(
    kept: dict[str, Timer],
    wanted: Mapping[tuple[str, str], tuple[DateWait, Mapping[str, str]]],
    since: int,
    bank: Bank,
) -> None:
    """Move the timers that rules which changed want otherwise, and end those that none wants."""
    for key, timer in list(kept.items()):
        rule, kind, name = timers.parts_of(key)
        if kind in (absence.KIND, SILENCE):
            continue
        wait, days = wanted.get((rule, kind), (None, {}))
        due = None
        if wait is not None and name in days:
            due = _due_anew(timer, wait, since, bank)
        if due is None:
            del kept[key]
        else:
            timer.due = due


def finds(record: Record, waits: Iterable[DateWait]) -> bool:
    """Whether there is anything for `arm` to do."""
    return bool(record.activity.timers) or any(_days(record.profile, wait) for wait in waits)


def _due_anew(timer: Timer, wait: DateWait, since: int, bank: Bank) -> int | None:
    """When a timer is due now that rules changed; None for no more."""
    if timer.fired:
        return timer.due
    ready = wait.days.ready(timer.about, timer.due, bank)
    if ready is not None and (ready == timer.due or ready >= since):
        return ready
    return wait.days.first(timer.about, since, bank)


def _follow_thing(record: Record, event: Input, wait: DateWait, bank: Bank) -> None:
    """The event may have ended its thing, and made others fall off the record."""
    kind, kept, profile = KINDS[wait.kind], record.activity.timers, record.profile
    start = timers.key_of(wait.rule, wait.kind, "")
    for key in [*kept]:
        if key.startswith(start) and kind.find(profile, key.removeprefix(start)) is None:
            del kept[key]
    name = key_of(getattr(event.event.data, kind.id))
    thing = kind.find(profile, name)
    if thing is not None and (event.type in wait.sets or start + name in kept):
        _set(kept, start + name, kind.day(thing), event, wait.days, event.at, bank)


def _follow_own(record: Record, event: Input, wait: DateWait, bank: Bank) -> None:
    """An event that comes late sets no timer for a day that was over before others came."""
    kept, days = record.activity.timers, _days(record.profile, wait)
    start = timers.key_of(wait.rule, wait.kind, "")
    for key in [*kept]:
        if key.startswith(start) and key.removeprefix(start) not in days:
            del kept[key]
    since = max(event.at, record.activity.latest)
    for name, day in days.items():
        _set(kept, start + name, day, event, wait.days, since, bank)


def _set(
    kept: dict[str, Timer],
    key: str,
    day: str | None,
    cause: Input | Cause,
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
        kept[key] = timers.timer(cause, day, due)


def _days(profile: ProfileSection, wait: DateWait) -> Mapping[str, str]:
    """All the dates of a kind that there are, by what they are of."""
    if (kind := KINDS.get(wait.kind)) is not None:
        things = {name: kind.find(profile, name) for name in kind.held(profile)}
        days = {name: kind.day(thing) for name, thing in things.items() if thing is not None}
        return {name: day for name, day in days.items() if day is not None}
    if wait.kind == FAMILY:
        return own.birthdays(profile, wait.of)
    return own.own_day(profile, wait.date)


def is_early(timer: Timer, wait: DateWait, bank: Bank) -> bool:
    """Whether a timer that is due is too early by the rule and the calendar of now: it is set for
    later then."""
    ready = wait.days.ready(timer.about, timer.due, bank)
    if ready is None or ready <= timer.due:
        return False
    timer.due = ready
    return True


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
