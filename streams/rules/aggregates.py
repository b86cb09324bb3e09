"""The aggregates of all rules: which windows an event updates, and how each is read, once an event.

Aggregates over the same events and values, with buckets of the same width, share one state in the
record, under a key that follows from what they are (not from the rules that use them).
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NamedTuple

from schemas.record import Windows
from streams import buckets
from streams.buckets import Kind
from streams.expressions.compile import compile_pick
from streams.expressions.nodes import Aggregate
from streams.inputs import Input
from streams.windows import Window, width_of

_KINDS: dict[str, Kind] = {
    "count": buckets.COUNTS,
    "sum": buckets.TOTALS,
    "avg": buckets.TOTALS,
    "min": buckets.MINIMUM,
    "max": buckets.MAXIMUM,
    "distinct": buckets.DISTINCT,
}


_Own = dict[str, int]
"""Of an event, by the states' keys, the values that it put into them."""
_Read = Callable[[Windows, int, _Own], Any]
"""Of the windows that end at a time, one aggregate's value."""


class Kept(NamedTuple):
    """One state in the record, and what of an event goes into it."""

    key: str
    window: Window
    pick: Callable[[Any], int | None]
    """The value that an event's data adds, scaled; None if it adds none."""


class _Plan:
    """What an event of one type goes into. Most states count every event: those stand apart, as
    nothing of the event has to be looked at."""

    __slots__ = ("counted", "ones", "picked")

    def __init__(self) -> None:
        self.counted: list[tuple[str, int, Window]] = []
        """Key, width of a bucket, window."""
        self.ones: _Own = {}
        """What it adds to those."""
        self.picked: list[Kept] = []

    def append(self, kept: Kept, *, counts_all: bool) -> None:
        if counts_all:
            self.counted.append((kept.key, kept.window.width, kept.window))
            self.ones[kept.key] = 1
        else:
            self.picked.append(kept)


class Readings(dict[int, Any]):
    """The aggregates' values for one event, by number, each read when first asked for."""

    __slots__ = ("_at", "_own", "_reads", "_windows")

    def __init__(self, reads: list[_Read], windows: Windows, at: int, own: _Own) -> None:
        self._reads = reads
        self._windows = windows
        self._at = at
        self._own = own

    def __missing__(self, number: int) -> Any:
        value = self[number] = self._reads[number](self._windows, self._at, self._own)
        return value

    def several(self, numbers: Sequence[int]) -> list[Any]:
        """Those that are needed whatever happens, in one call."""
        reads, windows, at, own = self._reads, self._windows, self._at, self._own
        return [reads[number](windows, at, own) for number in numbers]


class Unknown(dict[int, Any]):
    """The readings of an event that came too late: all unknown."""

    def __missing__(self, number: int) -> None:
        return None

    def several(self, numbers: Sequence[int]) -> list[None]:
        return [None] * len(numbers)


UNKNOWN = Unknown()


class Aggregates:
    """All aggregates of a rule set, numbered."""

    def __init__(self, aggregates: Iterable[Aggregate], lateness: int) -> None:
        self._numbers = {one: number for number, one in enumerate(dict.fromkeys(aggregates))}
        shared: dict[str, list[Aggregate]] = {}
        for one in self._numbers:
            shared.setdefault(state_key(one), []).append(one)
        kept = {key: _keep(key, group, lateness) for key, group in shared.items()}
        self._reads = [_read(one, kept[state_key(one)]) for one in self._numbers]
        self._by_type: defaultdict[str, _Plan] = defaultdict(_Plan)
        for key, group in shared.items():
            for event_type in group[0].types:
                plan = self._by_type[event_type]
                plan.append(kept[key], counts_all=_counts_all(group[0]))

    @property
    def types(self) -> frozenset[str]:
        """The event types that go into a window."""
        return frozenset(self._by_type)

    def number_of(self, aggregate: Aggregate) -> int:
        return self._numbers[aggregate]

    def add(self, windows: Windows, event: Input, latest: int) -> Readings:
        """Put an event into the windows it belongs to, and read what follows from there."""
        plan = self._by_type.get(event.type)
        if plan is None:
            return self.read(windows, event.at)
        own, at, edited = plan.ones.copy(), event.at, windows.edited
        for key, width, window in plan.counted:
            state = edited.get(key) or windows.edit(key) or windows.put(key, window.new())
            indices = state[1]
            if indices and indices[-1] == at // width:
                # What Window.add does then: nearly always, so that calls count.
                state[2][-1] += 1
            else:
                window.add(state, at, 1, latest)
        data = event.event.data
        for key, window, pick in plan.picked:
            value = pick(data)
            if value is not None:
                state = edited.get(key) or windows.edit(key) or windows.put(key, window.new())
                window.add(state, at, value, latest)
                own[key] = value
        return Readings(self._reads, windows, at, own)

    def read(self, windows: Windows, at: int) -> Readings:
        """Read windows that end at `at` without an event of one's own."""
        return Readings(self._reads, windows, at, {})

    def remove(self, windows: Windows, event: Input) -> None:
        """Take an event out again that was added before."""
        plan = self._by_type.get(event.type)
        if plan is None:
            return
        for key, _, window in plan.counted:
            _take(windows, key, window, event.at, 1)
        for key, window, pick in plan.picked:
            value = pick(event.event.data)
            if value is not None:
                _take(windows, key, window, event.at, value)


def _take(windows: Windows, key: str, window: Window, at: int, value: int) -> None:
    if (state := windows.edit(key)) is not None:
        window.remove(state, at, value)


def state_key(aggregate: Aggregate) -> str:
    """The key of an aggregate's state in the record: 16 hexadecimal digits."""
    identity = (
        _KINDS[aggregate.function].name,
        aggregate.types,
        aggregate.value_text,
        aggregate.where_text,
        aggregate.decimals,
        width_of(aggregate.length),
    )
    return blake2b(repr(identity).encode(), digest_size=8).hexdigest()


def _keep(key: str, group: list[Aggregate], lateness: int) -> Kept:
    one = group[0]
    window = Window(
        kind=_KINDS[one.function],
        width=width_of(one.length),
        keep=max(other.length for other in group) + lateness,
    )
    return Kept(key, window, compile_pick(one.where, one.value, one.decimals))


def _counts_all(one: Aggregate) -> bool:
    return one.function == "count" and one.where is None and one.value is None


def _read(one: Aggregate, kept: Kept) -> _Read:
    if one.function == "count" and not one.prior:
        return _count(kept, one.length)
    key, window, prior, finish = kept.key, kept.window, one.prior, _finish(one)
    nothing, read_window = window.new(), window.reader(one.length)

    def read(windows: Windows, at: int, own: _Own) -> Any:
        state = windows.edited.get(key) or windows.get(key) or nothing
        raw = read_window(state, at, own.get(key) if prior else None)
        return raw if raw is None or finish is None else finish(raw)

    return read


def _count(kept: Kept, length: int) -> _Read:
    """As Window.reader and Counts read it, without their calls: most aggregates are counts."""
    key, width, nothing = kept.key, kept.window.width, kept.window.new()

    def read(windows: Windows, at: int, _own: _Own) -> int | None:
        state = windows.edited.get(key) or windows.get(key) or nothing
        first = (at - length) // width + 1
        if first <= state[0]:
            return None
        indices = state[1]
        low = bisect_left(indices, first)
        total: int = sum(state[2][low : bisect_right(indices, at // width, low)])
        return total

    return read


def _finish(one: Aggregate) -> Callable[[Any], Any] | None:
    """From what a window reads as to the aggregate's value; None where that is the same."""
    decimals, at_least = one.decimals, one.at_least
    match one.function:
        case "sum":
            return lambda raw: buckets.unscale(raw[1], decimals)
        case "avg":
            return lambda raw: (
                None if raw[0] < at_least else Decimal(raw[1]).scaleb(-decimals) / raw[0]
            )
        case "min" | "max":
            return lambda raw: buckets.unscale(raw, decimals)
        case _:
            return None
