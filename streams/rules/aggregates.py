"""The aggregates of all rules: which windows an event updates, and how each is read, once an event.

Aggregates over the same events and values, with buckets of the same width, share one state in the
record, under a key that follows from what they are (not from the rules that use them).
"""

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
    pick: Callable[[Any], int | None] | None
    """The value that an event's data adds, scaled; None if it adds none. Where each adds 1 there is
    nothing to ask."""

    def of(self, data: Any) -> int | None:
        return 1 if self.pick is None else self.pick(data)


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
        self._by_type: dict[str, list[Kept]] = {}
        for key, group in shared.items():
            for event_type in group[0].types:
                self._by_type.setdefault(event_type, []).append(kept[key])

    @property
    def types(self) -> frozenset[str]:
        """The event types that go into a window."""
        return frozenset(self._by_type)

    def number_of(self, aggregate: Aggregate) -> int:
        return self._numbers[aggregate]

    def add(self, windows: Windows, event: Input, latest: int) -> Readings:
        """Put an event into the windows it belongs to, and read what follows from there."""
        own: _Own = {}
        at, data, edited = event.at, event.event.data, windows.edited
        for key, window, pick in self._by_type.get(event.type, ()):
            value = 1 if pick is None else pick(data)
            if value is not None:
                state = edited.get(key) or windows.edit(key) or windows.put(key, window.new())
                indices = state[1]
                if indices and indices[-1] == at // window.width:
                    # What Window.add does then: nearly always, so that a call counts.
                    window.kind.put(state, -1, value)
                else:
                    window.add(state, at, value, latest)
                own[key] = value
        return Readings(self._reads, windows, at, own)

    def read(self, windows: Windows, at: int) -> Readings:
        """Read windows that end at `at` without an event of one's own."""
        return Readings(self._reads, windows, at, {})

    def remove(self, windows: Windows, event: Input) -> None:
        """Take an event out again that was added before."""
        data = event.event.data
        for kept in self._by_type.get(event.type, ()):
            value = kept.of(data)
            if value is not None and (state := windows.edit(kept.key)) is not None:
                kept.window.remove(state, event.at, value)


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
    counts_all = one.where is None and one.value is None
    pick = None if counts_all else compile_pick(one.where, one.value, one.decimals)
    return Kept(key, window, pick)


def _read(one: Aggregate, kept: Kept) -> _Read:
    key, window, prior, finish = kept.key, kept.window, one.prior, _finish(one)
    nothing, read_window = window.new(), window.reader(one.length)

    def read(windows: Windows, at: int, own: _Own) -> Any:
        state = windows.edited.get(key) or windows.get(key) or nothing
        raw = read_window(state, at, own.get(key) if prior else None)
        return raw if raw is None or finish is None else finish(raw)

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
