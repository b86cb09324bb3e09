"""The aggregates of all rules: which windows an event updates, and how each is read, once an event.

Aggregates over the same events and values, with buckets of the same width, share one state in the
record, under a key that follows from what they are (not from the rules that use them).

Where in a window an event is goes by one of three clocks: the time itself; for buckets of days what
the bank's clocks show, so that a day is its day; for calendar months the number of the month.
States of first and last values, which keep the time beside the value, stand apart from the others.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, tzinfo
from hashlib import blake2b
from typing import Any

from schemas.activity import ActivitySection, Owed
from schemas.events import REVERSIBLE
from streams import buckets, recent
from streams.buckets.ends import Ends
from streams.buckets.extremes import Extremes
from streams.buckets.kind import Kind
from streams.buckets.values import plain, scale
from streams.durations import DAY_MS
from streams.expressions.nodes import Aggregate, Base, Type, kept_decimals
from streams.expressions.picks import Pick
from streams.inputs import Correction, Input
from streams.months import AT, LOCAL, MONTH, clocks
from streams.reach import LookBack
from streams.recent import Recent
from streams.rules.adding import Add, compile_adding
from streams.rules.kept import Kept, Own, Windows, to_edit
from streams.rules.readings import Read, Readings, nothing_asked, reader
from streams.rules.state_bytes import state_bytes, state_growth
from streams.streaks import BREAKS, COUNTS, Streak
from streams.windows import Gaps, Window, width_of

_KINDS: dict[str, Kind] = {
    "count": buckets.COUNTS,
    "sum": buckets.TOTALS,
    "avg": buckets.TOTALS,
    "min": buckets.MINIMUM,
    "max": buckets.MAXIMUM,
    "stddev": buckets.SQUARES,
    "distinct": buckets.DISTINCT,
    "first": buckets.FIRST,
    "last": buckets.LAST,
}
_SHORTEST_MONTH = 28 * DAY_MS
_CLOCK_CHANGE = DAY_MS // 12
"""Clocks are never set forward by more: so much older than it is may an event be by them."""


class Numbers(dict[Aggregate, int]):
    """Aggregates, numbered as they are asked for: the same in one rule set after the other, so that
    what was compiled for one serves in the next."""

    def __init__(self) -> None:
        super().__init__()
        self._adding: dict[tuple[Kept, ...], Add] = {}

    def __missing__(self, aggregate: Aggregate) -> int:
        number = self[aggregate] = len(self)
        return number

    def adding(self, states: tuple[Kept, ...]) -> Add:
        """The function of those of an event type."""
        found = self._adding.get(states)
        if found is None:
            found = self._adding[states] = compile_adding(states)
        return found


class Aggregates:
    """All aggregates of a rule set."""

    def __init__(
        self,
        aggregates: Iterable[Aggregate],
        lateness: int,
        zone: tzinfo = UTC,
        numbers: Numbers | None = None,
        replayed: Container[str] = (),
    ) -> None:
        """`replayed` are the keys of states that rules look at which can be amended."""
        self._zone = zone
        numbers = Numbers() if numbers is None else numbers
        self.number_of: Callable[[Aggregate], int] = numbers.__getitem__
        keys = {one: state_key(one) for one in dict.fromkeys(aggregates)}
        shared: dict[str, list[Aggregate]] = {}
        for one, key in keys.items():
            shared.setdefault(key, []).append(one)
        self.keys = frozenset(shared)
        """Of the states in a record."""
        kept = {
            key: _keep(key, group, lateness, is_replayed=key in replayed)
            for key, group in shared.items()
        }
        self._kept = kept
        numbered = {numbers[one]: reader(one, kept[key]) for one, key in keys.items()}
        self._reads = [numbered.get(number, nothing_asked) for number in range(len(numbers))]
        self.asked = {
            key: max(_look_back(one, key).back for one in group) for key, group in shared.items()
        }
        """By the keys of states, how far back they are asked for, milliseconds."""
        self.bytes = {key: state_bytes(group[0], kept[key]) for key, group in shared.items()}
        """By the keys of states, more than each takes in a record."""
        self._growth = {key: state_growth(group[0], kept[key]) for key, group in shared.items()}
        by_type: dict[str, list[Kept]] = {}
        for key, group in shared.items():
            for event_type, one_kept in _by_type(group[0], kept[key]):
                by_type.setdefault(event_type, []).append(one_kept)
        self._by_type = by_type
        self._adding = {name: numbers.adding(tuple(every)) for name, every in by_type.items()}

    @property
    def types(self) -> frozenset[str]:
        """The event types that go into a window."""
        return frozenset(self._by_type)

    def room(self, event_type: str) -> int:
        """More bytes than states grow by with an event of a type."""
        return sum(self._growth[one.key] for one in self._by_type.get(event_type, ()))

    def add(self, windows: Windows, event: Input, latest: int, era: int) -> Readings:
        """Put an event into the windows it belongs to, and read what follows from there. `era` is
        the record's, of which windows that begin with it are."""
        add = self._adding.get(event.type)
        if add is None:
            return self.read(windows, event.at)
        own, when = Own(), clocks(event.at, self._zone)
        last = when if latest == event.at else clocks(latest, self._zone)
        add(event.event.data, windows, when, last, own, era)
        found = Readings()
        found.asked = self._reads, windows, when, own
        return found

    def read(self, windows: Windows, at: int) -> Readings:
        """Read windows that end at `at` without an event of one's own."""
        found = Readings()
        found.asked = self._reads, windows, clocks(at, self._zone), {}
        return found

    def remove(self, windows: Windows, event: Input, era: int) -> list[Owed]:
        """Take an event out again that was added in an era of the record's. Returns what was not
        there to be taken out."""
        return [
            Owed(one.key, one.time(event.at, self._zone), value)
            for one, value in self._values(event)
            if not self._take(windows, one, event.at, value, era)
        ]

    def _take(self, windows: Windows, one: Kept, at: int, value: Any, era: int) -> bool:
        """Whether it was there."""
        state = windows.edit(one.key)
        if state is None or one.is_younger(state, era):
            return False
        return one.window.remove(state, one.time(at, self._zone), value)

    def correct(self, windows: Windows, one: Correction, latest: int) -> list[Owed]:
        """Take an event out again that was added, and put in what is left of it, where it was.
        Returns what has to be done where it was not."""
        owed = self.remove(windows, one.before, one.era)
        if one.after is None:
            return owed
        missing = {each.key for each in owed}
        at, zone = one.after.at, self._zone
        for kept, value in self._values(one.after):
            state, time = windows.edit(kept.key), kept.time(at, zone)
            if state is None or kept.key in missing or kept.is_younger(state, one.era):
                owed.append(Owed(kept.key, time, value, is_added=True))
            else:
                kept.window.add(state, time, value, kept.time(latest, zone))
        return owed

    def drop_upto(self, windows: Windows, key: str, at: int) -> None:
        """Take out of a state what happened up to a time."""
        kept = self._kept[key]
        if (state := windows.edit(key)) is not None:
            kept.window.drop_upto(state, kept.time(at, self._zone))

    def fill(
        self,
        windows: Windows,
        states: dict[str, list[Any]],
        activity: ActivitySection,
        era: int,
        upto: Mapping[str, int],
    ) -> None:
        """Put states into those that are there, with what is owed done to them; of some what
        happened up to a time. They hold what came in an era of the record's and later; an empty
        list is a state that holds nothing."""
        for one in activity.owed:
            if one.key in states:
                window = self._kept[one.key].window
                state = states[one.key] = states[one.key] or window.new()
                if one.is_added:
                    window.add(state, one.at, one.value, one.at)
                else:
                    window.remove(state, one.at, one.value)
        for key, state in states.items():
            if state:
                kept = self._kept[key]
                window, latest = kept.window, kept.time(activity.latest, self._zone)
                if isinstance(window, Window):
                    window.hold_since(state, era)
                if key in upto:
                    window.drop_after(state, kept.time(upto[key], self._zone))
                own = to_edit(windows, key, window, activity.era)
                window.merge(own, state, latest)

    def recall(self, windows: Windows, gone: Iterable[Input], left: Iterable[Input]) -> None:
        """After events were taken out: buckets that let some of what is left of them fall off know
        it again, where that is all that they have."""
        values: dict[tuple[str, int], list[Any]] = {}
        for event in left:
            for one, value in self._values(event):
                values.setdefault(self._bucket(one, event), []).append(value)
        for event in gone:
            for one, _ in self._values(event):
                known = values.pop(self._bucket(one, event), None)
                state = windows.edit(one.key) if known else None
                if known and state is not None and isinstance(one.window, Window):
                    one.window.recall(state, one.time(event.at, self._zone), known)

    def gaps(self, one: Aggregate) -> Read | None:
        """Reads whether an aggregate is unknown since its buckets forgot what they had; None of one
        whose buckets forget nothing."""
        kept = self._kept[state_key(one)]
        window = kept.window
        if not isinstance(window, Window) or not isinstance(window.kind, Extremes | Ends):
            return None
        gaps = Gaps(kind=window.kind, width=window.width, keep=window.keep)
        # What is read is the answer itself: no number to be scaled.
        return reader(replace(one, function="distinct"), replace(kept, window=gaps))

    def _bucket(self, one: Kept, event: Input) -> tuple[str, int]:
        return one.key, one.time(event.at, self._zone) // one.window.width

    def _values(self, event: Input) -> Iterator[tuple[Kept, Any]]:
        """What of an event goes into each state."""
        for one in self._by_type.get(event.type, ()):
            if (value := one.value(event)) is not None:
                yield one, value


def _by_type(one: Aggregate, kept: Kept) -> Iterable[tuple[str, Kept]]:
    """The types of events that go into a state, and how each does."""
    for event_type in one.types:
        pick = kept.pick
        if event_type in one.without:
            pick = pick._replace(otherwise=BREAKS)
        yield event_type, replace(kept, pick=pick)
    for event_type in one.without:
        if event_type not in one.types:
            yield event_type, replace(kept, pick=Pick(adds=BREAKS))


def look_back(aggregate: Aggregate) -> LookBack:
    """How far it looks back, and into which state."""
    return _look_back(aggregate, state_key(aggregate))


def _look_back(aggregate: Aggregate, key: str) -> LookBack:
    first_month = aggregate.months[0] if aggregate.months else None
    return LookBack(key, aggregate.length, first_month)


def state_key(aggregate: Aggregate) -> str:
    """The key of an aggregate's state in the record: 16 hexadecimal digits."""
    if aggregate.function == "streak":
        return _digest(("streak", aggregate.types, aggregate.where_text, aggregate.without))
    if aggregate.function == "recent":
        names = [field.name for field in aggregate.fields]
        return _digest(("recent", aggregate.types, aggregate.where_text, names))
    identity = (
        _KINDS[aggregate.function].name,
        aggregate.types,
        aggregate.value_text,
        aggregate.where_text,
        aggregate.decimals,
        "month" if aggregate.months else width_of(aggregate.length),
    )
    return _digest(identity)


def _digest(identity: tuple[Any, ...]) -> str:
    return blake2b(repr(identity).encode(), digest_size=8).hexdigest()


def _pick(one: Aggregate) -> Pick:
    """What an event adds to the state of an aggregate."""
    if one.function == "recent":
        decimals = tuple(kept_decimals(field.type) for field in one.fields)
        return Pick(one.where, one.fields, decimals, recent.keep, as_list=True)
    if one.function == "streak" or one.value is None:
        return Pick(one.where, adds=COUNTS)
    keep = plain if isinstance(_KINDS[one.function], Ends) else scale
    return Pick(one.where, (one.value,), (one.decimals,), keep)


def _keep(key: str, group: list[Aggregate], lateness: int, *, is_replayed: bool) -> Kept:
    one = group[0]
    keep = max(other.length for other in group) + lateness
    has_prior = any(other.prior for other in group)
    pick = _pick(one)
    if one.function == "recent":
        decimals = tuple(_scaled(field.type) for field in one.fields)
        return Kept(key, Recent(keep=keep, decimals=decimals), pick, has_prior=has_prior)
    if one.function == "streak":
        return Kept(key, Streak(keep=keep), pick, has_prior=has_prior)
    kind = _KINDS[one.function]
    if is_replayed:
        kind = buckets.REPLAYED.get(kind.name, kind)
    elif REVERSIBLE.isdisjoint(one.types):
        for_good = buckets.FOR_GOOD_BUT_ONE if has_prior else buckets.FOR_GOOD
        kind = for_good.get(kind.name, kind)
    is_timed = isinstance(kind, Ends)
    if one.months:
        months = max(1 - other.months[0] for other in group if other.months)
        late = -(-lateness // _SHORTEST_MONTH)
        window, clock = Window(kind=kind, width=1, keep=months + late), MONTH
    else:
        width = width_of(one.length)
        clock = LOCAL if width >= DAY_MS else AT
        keep += _CLOCK_CHANGE if clock == LOCAL else 0
        window = Window(kind=kind, width=width, keep=keep)
    return Kept(key, window, pick, clock, is_timed, has_prior)


def _scaled(kind: Type) -> int | None:
    return kept_decimals(kind) if kind.base is Base.NUMBER else None
