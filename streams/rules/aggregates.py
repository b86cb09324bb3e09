"""The aggregates of all rules: which windows an event updates, and how each is read, once an event.

Aggregates over the same events and values, with buckets of the same width, share one state in the
record, under a key that follows from what they are (not from the rules that use them).

Where in a window an event is goes by one of three clocks: the time itself; for buckets of days what
the bank's clocks show, so that a day is its day; for calendar months the number of the month.
States of first and last values, which keep the time beside the value, stand apart from the others.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from decimal import Context, Decimal
from functools import cached_property
from hashlib import blake2b
from typing import Any, Protocol

from schemas.activity import ActivitySection, Owed
from schemas.packed import UNASKED
from streams import buckets, recent
from streams.buckets import Ends, Kind
from streams.durations import DAY_MS
from streams.expressions.nodes import (
    Aggregate,
    Base,
    EventField,
    Literal,
    Node,
    Type,
    kept_decimals,
)
from streams.expressions.picks import Pick, compile_pick, compile_picks
from streams.inputs import Correction, Input
from streams.months import AT, LOCAL, MONTH, Clocks, clocks
from streams.reach import LookBack
from streams.recent import Recent
from streams.streaks import BREAKS, COUNTS, Streak
from streams.windows import Window, width_of

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
_EXACTLY = Context(prec=28)
_TWICE = Context(prec=60)
"""Digits of a variance, so that the root of it is rounded once."""
_SHORTEST_MONTH = 28 * DAY_MS


States = Window | Streak | Recent
"""How a state is kept."""


class Windows(Protocol):
    """Where states are kept: those of a record, or copies of them."""

    edited: dict[str, list[Any]]
    read: dict[str, list[Any] | None]

    def get(self, key: str, /) -> list[Any] | None: ...

    def edit(self, key: str, /) -> list[Any] | None: ...

    def put(self, key: str, value: list[Any], /) -> list[Any]: ...


_Own = dict[str, Any]
"""Of an event, by the states' keys, the values that it put into them."""
_Picks = Callable[[Any], tuple[Any, ...]]
"""The values that an event's data adds to several states, scaled; None if it adds none."""
_Read = Callable[[Windows, Clocks, _Own], Any]
"""Of the windows that end at a time, one aggregate's value."""


@dataclass(frozen=True)
class Kept:
    """One state in the record, and what of an event of one type goes into it."""

    key: str
    window: States
    pick: Pick
    clock: int = AT
    """Where in the window a time is: by which of the clocks."""
    is_timed: bool = False
    """The time stands beside the value."""

    @property
    def counts_all(self) -> bool:
        """Whether every event counts, by nothing but its time."""
        is_count = isinstance(self.window, Window) and self.window.kind is buckets.COUNTS
        return is_count and self.pick == Pick()

    @cached_property
    def _picked(self) -> Callable[[Any], Any]:
        """Made when it is first asked for: events are put into all states of their type at once."""
        return compile_pick(self.pick)

    def value(self, event: Input) -> Any:
        picked = self._picked(event.event.data)
        return [event.at, picked] if self.is_timed and picked is not None else picked

    def time(self, at: int, zone: tzinfo) -> int:
        """Where in the window a time is."""
        return clocks(at, zone)[self.clock]

    def is_younger(self, state: list[Any], era: int) -> bool:
        """Whether it began after an era. Streaks and last events know by themselves what they
        hold."""
        return isinstance(self.window, Window) and self.window.is_younger(state, era)


class _Plan:
    """What an event of one type goes into. Most states count every event: those stand apart, as
    nothing of the event has to be looked at."""

    __slots__ = ("counted", "every", "ones", "others", "picks")

    def __init__(self, every: Sequence[Kept], numbers: "Numbers") -> None:
        self.every = every
        counted = [one for one in every if one.counts_all]
        self.counted = [(one.key, one.clock, one.window.width, one.window) for one in counted]
        """Key, clock, width of a bucket, window."""
        self.ones: _Own = {one.key: 1 for one in counted}
        """What it adds to those."""
        others = [one for one in every if one.key not in self.ones]
        self.others = [(one.key, one.clock, one.window, one.is_timed) for one in others]
        self.picks = numbers.picks(tuple(one.pick for one in others))
        """What it adds to these."""


class Readings(dict[int, Any]):
    """The aggregates' values for one event, by number, each read when first asked for."""

    __slots__ = ("_own", "_reads", "_when", "_windows")

    def __init__(self, reads: list[_Read], windows: Windows, when: Clocks, own: _Own) -> None:
        self._reads = reads
        self._windows = windows
        self._when = when
        self._own = own

    def __missing__(self, number: int) -> Any:
        value = self[number] = self._reads[number](self._windows, self._when, self._own)
        return value

    def several(self, numbers: Sequence[int]) -> list[Any]:
        """Those that are needed whatever happens, in one call."""
        reads, windows, when, own = self._reads, self._windows, self._when, self._own
        return [reads[number](windows, when, own) for number in numbers]


class Unknown(dict[int, Any]):
    """The readings of an event that came too late: all unknown."""

    def __missing__(self, number: int) -> None:
        return None

    def several(self, numbers: Sequence[int]) -> list[None]:
        return [None] * len(numbers)


UNKNOWN = Unknown()


class Numbers(dict[Aggregate, int]):
    """Aggregates, numbered as they are asked for: the same in one rule set after the other, so that
    what was compiled for one serves in the next."""

    def __init__(self) -> None:
        super().__init__()
        self._picks: dict[tuple[Pick, ...], _Picks] = {}

    def __missing__(self, aggregate: Aggregate) -> int:
        number = self[aggregate] = len(self)
        return number

    def picks(self, several: tuple[Pick, ...]) -> _Picks:
        """The function of those of an event type."""
        found = self._picks.get(several)
        if found is None:
            found = self._picks[several] = compile_picks(several)
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
        numbered = {numbers[one]: _read(one, kept[key]) for one, key in keys.items()}
        self._reads = [numbered.get(number, _nothing) for number in range(len(numbers))]
        self.asked = {
            key: max(_look_back(one, key).back for one in group) for key, group in shared.items()
        }
        """By the keys of states, how far back they are asked for, milliseconds."""
        self.bytes = {key: _bytes(group[0], kept[key]) for key, group in shared.items()}
        """By the keys of states, more than each takes in a record."""
        by_type: dict[str, list[Kept]] = {}
        for key, group in shared.items():
            for event_type, one_kept in _by_type(group[0], kept[key]):
                by_type.setdefault(event_type, []).append(one_kept)
        self._by_type = {name: _Plan(every, numbers) for name, every in by_type.items()}

    @property
    def types(self) -> frozenset[str]:
        """The event types that go into a window."""
        return frozenset(self._by_type)

    def add(self, windows: Windows, event: Input, latest: int, era: int) -> Readings:
        """Put an event into the windows it belongs to, and read what follows from there. `era` is
        the record's, of which windows that begin with it are."""
        plan = self._by_type.get(event.type)
        if plan is None:
            return self.read(windows, event.at)
        own, edited, when = plan.ones.copy(), windows.edited, clocks(event.at, self._zone)
        last = when if latest == event.at else clocks(latest, self._zone)
        for key, clock, width, window in plan.counted:
            state = edited.get(key) or windows.edit(key) or _begin(windows, key, window, era)
            indices, at = state[1], when[clock]
            if indices and indices[-1] == at // width:
                # What Window.add does then: nearly always, so that calls count.
                state[2][-1] += 1
            else:
                window.add(state, at, 1, last[clock])
        picked = plan.picks(event.event.data)
        for (key, clock, window, is_timed), value in zip(plan.others, picked, strict=True):
            if value is not None:
                put: Any = [event.at, value] if is_timed else value
                state = edited.get(key) or windows.edit(key) or _begin(windows, key, window, era)
                window.add(state, when[clock], put, last[clock])
                own[key] = put
        return Readings(self._reads, windows, when, own)

    def read(self, windows: Windows, at: int) -> Readings:
        """Read windows that end at `at` without an event of one's own."""
        return Readings(self._reads, windows, clocks(at, self._zone), {})

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
                own = windows.edit(key) or _begin(windows, key, window, activity.era)
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

    def _bucket(self, one: Kept, event: Input) -> tuple[str, int]:
        return one.key, one.time(event.at, self._zone) // one.window.width

    def _values(self, event: Input) -> Iterator[tuple[Kept, Any]]:
        """What of an event goes into each state."""
        plan = self._by_type.get(event.type)
        for one in () if plan is None else plan.every:
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


def _begin(windows: Windows, key: str, window: States, era: int) -> list[Any]:
    return windows.put(key, window.new(era) if isinstance(window, Window) else window.new())


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
    keep = buckets.plain if isinstance(_KINDS[one.function], Ends) else buckets.scale
    return Pick(one.where, (one.value,), (one.decimals,), keep)


def _nothing(_windows: Windows, _when: Clocks, _own: _Own) -> None:
    """Of an aggregate that no rule of the set asks for."""


def _keep(key: str, group: list[Aggregate], lateness: int, *, is_replayed: bool) -> Kept:
    one = group[0]
    keep = max(other.length for other in group) + lateness
    pick = _pick(one)
    if one.function == "recent":
        decimals = tuple(_scaled(field.type) for field in one.fields)
        return Kept(key, Recent(keep=keep, decimals=decimals), pick)
    if one.function == "streak":
        return Kept(key, Streak(keep=keep), pick)
    kind = _KINDS[one.function]
    if is_replayed:
        kind = buckets.REPLAYED.get(kind.name, kind)
    is_timed = isinstance(kind, Ends)
    if one.months:
        months = max(1 - other.months[0] for other in group if other.months)
        late = -(-lateness // _SHORTEST_MONTH)
        window, clock = Window(kind=kind, width=1, keep=months + late), MONTH
    else:
        window = Window(kind=kind, width=width_of(one.length), keep=keep)
        clock = LOCAL if window.width >= DAY_MS else AT
    return Kept(key, window, pick, clock, is_timed)


_KEY_BYTES = 20
"""Of a state's key, with what stands around a state."""
_NUMBER_BYTES = 9
"""Of a number that fits 64 bits, as those do that events tell."""
_RECKONED_BYTES = 40
"""Of one that a rule reckons: 28 digits and 8 decimals, as text."""
_LETTER_BYTES = 4


def _bytes(one: Aggregate, kept: Kept) -> int:
    """More than a state takes, its key included."""
    if one.function == "recent":
        letters = recent.KEPT_LENGTH * _LETTER_BYTES
        value = sum(_value_bytes(field, letters) for field in one.fields)
    elif one.value is None:
        value = 1
    elif one.function == "distinct" and one.value.type.base is not Base.NUMBER:
        value = buckets.COUNT_BYTES
    else:
        value = _value_bytes(one.value, buckets.TEXT_BYTES)
    return _KEY_BYTES + kept.window.bytes(value)


def _value_bytes(node: Node, text: int) -> int:
    """`text` is what the longest takes that is kept."""
    kind = node.type
    match kind.base:
        case Base.NUMBER:
            return _NUMBER_BYTES if isinstance(node, EventField | Literal) else _RECKONED_BYTES
        case Base.FLAG:
            return 1
        case Base.DAY:
            return 12
    return 3 + max(map(len, kind.choices), default=text)


def _scaled(kind: Type) -> int | None:
    return kept_decimals(kind) if kind.base is Base.NUMBER else None


def _read(one: Aggregate, kept: Kept) -> _Read:
    """Most aggregates are counts and sums: those are read without the calls that others take, and
    most of what rules ask for never happened."""
    if one.months:
        return _months(one, kept, one.months)
    if one.function in ("count", "sum"):
        return _plain(one, kept)
    key, window, prior, finish = kept.key, kept.window, one.prior, _finish(one)
    nothing, read_window, clock = window.new(), window.reader(one.length), kept.clock

    def read(windows: Windows, when: Clocks, own: _Own) -> Any:
        state = windows.read.get(key) or windows.get(key) or nothing
        raw = read_window(state, when[clock], own.get(key) if prior else None)
        return raw if raw is None or finish is None else finish(raw)

    return read


def _months(one: Aggregate, kept: Kept, months: tuple[int, int]) -> _Read:
    key, nothing, finish = kept.key, kept.window.new(), _finish(one)
    first, last = months
    read_window = kept.window.reader(last - first + 1)
    has_own = one.prior and last == 0

    def read(windows: Windows, when: Clocks, own: _Own) -> Any:
        state = windows.read.get(key) or windows.get(key) or nothing
        raw = read_window(state, when[MONTH] + last, own.get(key) if has_own else None)
        return raw if raw is None or finish is None else finish(raw)

    return read


def _plain(one: Aggregate, kept: Kept) -> _Read:
    """A count or a sum, as Window.reader, Counts and Totals read it."""
    key, width, length, decimals = kept.key, kept.window.width, one.length, one.decimals
    prior, is_sum = one.prior, one.function == "sum"
    zero = buckets.unscale(0, decimals) if is_sum else 0
    cells = 3 if is_sum else 2
    nothing, clock, since = kept.window.new(), kept.clock, one.length + kept.window.width

    def read(windows: Windows, when: Clocks, own: _Own) -> Any:
        state = windows.read.get(key, UNASKED)
        if state is UNASKED:
            state = windows.get(key)
        at = when[clock]
        if state is None and at >= since:
            return zero
        state = state or nothing
        first = (at - length) // width + 1
        if first <= state[0]:
            return None
        indices = state[1]
        low = bisect_left(indices, first)
        some = state[cells][low : bisect_right(indices, at // width, low)]
        mine = own.get(key) if prior else None
        if not is_sum:
            return sum(some) - (mine is not None)
        try:
            total = sum(some)
        except TypeError:  # some are too large for a number of msgpack's, and texts
            total = sum(map(int, some))
        return buckets.unscale(total if mine is None else total - mine, decimals)

    return read


def _finish(one: Aggregate) -> Callable[[Any], Any] | None:
    """From what a window reads as to the aggregate's value; None where that is the same."""
    decimals, at_least = one.decimals, one.at_least
    match one.function:
        case "stddev":
            return lambda raw: _deviation(raw, decimals, at_least)
        case "first" | "last":
            is_number = one.value is not None and one.value.type.base is Base.NUMBER
            return (lambda raw: buckets.unscale(int(raw), decimals)) if is_number else None
        case "sum":  # of months; others are read as they are
            return lambda raw: buckets.unscale(raw[1], decimals)
        case "avg":
            return lambda raw: (
                None if raw[0] < at_least else Decimal(raw[1]).scaleb(-decimals) / raw[0]
            )
        case "min" | "max":
            return lambda raw: buckets.unscale(raw, decimals)
        case _:
            return None


def _deviation(raw: tuple[int, int, int], decimals: int, at_least: int) -> Decimal | None:
    """The standard deviation of a sample (divided by n - 1), to 28 digits."""
    count, total, square = raw
    if count < at_least:
        return None
    spread = Decimal(count * square - total * total)
    variance = _TWICE.divide(spread, Decimal(count * (count - 1)))
    return _EXACTLY.sqrt(variance).scaleb(-decimals)
