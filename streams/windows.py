"""Aggregates over sliding event-time windows, with a bounded state of plain msgpack values.

**Width.** Time is cut into buckets of one width, which follows from the window's length: up to
1 h: 1 minute; up to 1 d: 15 minutes; up to 4 d: 1 hour; longer: 1 day, or as many days as keep a
window within 96 buckets. Buckets begin at multiples of the width since the epoch; a time here is
where the window's clock has it, which for buckets of days is the bank's (see rules/aggregates.py).

**Edges.** The window of length L that ends at t covers the buckets floor((t-L)/w)+1 … floor(t/w).

**Error bound.** On its clock nothing older than L counts; what is younger than L-w and not after t
does; of the first w after t-L some may be missing. A late event lands in its own bucket and sees
the window that ends at its own time; with it, what came up to w after it in the same bucket.

**Bound.** Buckets that no event within the allowed lateness can reach are dropped, and never more
than KEPT_BUCKETS are kept: the window at the record's latest time is always whole; one that a late
event asks for is *unknown* where the state was cut, not wrong.

A window of calendar months is one over the numbers of months, of width 1 (see rules/aggregates.py).

The state is `[cut, indices, cells, …]`: the greatest index that was cut, the indices of the buckets
that hold something, in order, and beside it one list for each cell of the kind.

**Era.** An event that came before a window began is in none of its buckets, though another one may
be in the bucket of its time. So while nothing was cut, `cut` is -1 less the era of the record that
the window began in; what came in an earlier one is not taken out. Once something was cut, what came
earlier lies before that, unless its time was ahead of half of all that is kept.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from msgspec import Struct

from streams.buckets.kind import COUNT_BYTES, Kind, State
from streams.durations import DAY_MS

SPAN = 96
"""Buckets in the longest window."""
KEPT_BUCKETS = 2 * SPAN
"""Buckets that a state keeps: those of the latest window, and some for late events."""

_MINUTE = 60_000
_LADDER = ((60 * _MINUTE, _MINUTE), (DAY_MS, 15 * _MINUTE), (4 * DAY_MS, 60 * _MINUTE))
SHORTEST = _MINUTE
"""The shortest length of a window, milliseconds."""


def width_of(length: int) -> int:
    """The bucket width for a window's length, both in milliseconds."""
    for longest, width in _LADDER:
        if length <= longest:
            return width
    return -(-length // (SPAN * DAY_MS)) * DAY_MS


class Window(Struct, frozen=True, kw_only=True):
    """How to keep one aggregate's buckets. Times and durations in milliseconds.

    Windows of several lengths but one width share a state, kept for the longest of them.
    """

    kind: Kind
    width: int
    keep: int
    """The longest length that is read, plus the allowed lateness."""

    def new(self, era: int = 0) -> State:
        return [-1 - era, [], *([] for _ in range(self.kind.lists))]

    def add(self, state: State, at: int, value: Any, latest: int) -> None:
        """Put an event in. `latest` is the record's greatest event time, this event included."""
        bucket, indices, kind = at // self.width, state[1], self.kind
        if bucket <= state[0]:
            return
        if not indices or indices[-1] < bucket:
            indices.append(bucket)
            kind.append(state, value)
        elif indices[-1] == bucket:
            kind.put(state, -1, value)
        else:
            i = bisect_left(indices, bucket)
            if indices[i] != bucket:
                indices.insert(i, bucket)
                kind.insert(state, i)
            kind.put(state, i, value)
        if indices[0] <= (latest - self.keep) // self.width or len(indices) > KEPT_BUCKETS:
            self._prune(state, latest)

    def bytes(self, value: int) -> int:
        """More than a state takes whose values take so many bytes each."""
        return self._bytes(value, min(KEPT_BUCKETS, self.keep // self.width + 1))

    def growth(self, value: int) -> int:
        """More than it grows by with one of them."""
        return self._bytes(value, 1)

    def _bytes(self, value: int, buckets: int) -> int:
        lists = 3 * (2 + self.kind.lists)
        return 9 + lists + buckets * (COUNT_BYTES + self.kind.bytes(value))

    def merge(self, state: State, other: State, latest: int) -> None:
        """Put all of another state of the same window in: a part of the events each."""
        state[0] = max(state[0], other[0])
        indices = state[1]
        for j, bucket in enumerate(other[1]):
            i = bisect_left(indices, bucket)
            if i == len(indices) or indices[i] != bucket:
                indices.insert(i, bucket)
                self.kind.insert(state, i)
            self.kind.merge(state, i, other, j)
        gone = bisect_right(indices, state[0])
        for column in state[1:]:
            del column[:gone]
        self._prune(state, latest)

    def drop_upto(self, state: State, at: int) -> None:
        end = bisect_right(state[1], at // self.width)
        for column in state[1:]:
            del column[:end]

    def drop_after(self, state: State, at: int) -> None:
        end = bisect_right(state[1], at // self.width)
        for column in state[1:]:
            del column[end:]

    def hold_since(self, state: State, era: int) -> None:
        """A state that was made elsewhere holds what came in an era of the record's and later."""
        if state[0] < 0:
            state[0] = -1 - era

    def is_younger(self, state: State, era: int) -> bool:
        """Whether it began after an era."""
        return bool(state[0] < -1 - era)

    def remove(self, state: State, at: int, value: Any) -> bool:
        """Take an event out that was added before; nothing happens where its bucket is gone.
        Whether that is there."""
        bucket = at // self.width
        i = bisect_left(state[1], bucket)
        if i == len(state[1]) or state[1][i] != bucket:
            return False
        if self.kind.take(state, i, value):
            for column in state[1:]:
                del column[i]
        return True

    def recall(self, state: State, at: int, values: Sequence[Any]) -> None:
        """Tell the bucket of a time its values again. It takes them if it does not know all that it
        has, and these are all."""
        bucket = at // self.width
        i = bisect_left(state[1], bucket)
        if i == len(state[1]) or state[1][i] != bucket:
            return
        if self.kind.size(state, i) == len(values) > 0:
            for column in state[2:]:
                del column[i]
            self.kind.insert(state, i)
            for value in values:
                self.kind.put(state, i, value)

    def reader(self, length: int) -> Callable[..., Any]:
        """`read(state, at, own=None)` of the window of this length that ends at `at`, as its kind
        reads; None where the state was cut.

        `own` is the value of the event at `at` if it was added and must not count.
        """
        width, kind_read = self.width, self.kind.read

        def read(state: State, at: int, own: Any = None) -> Any:
            first = (at - length) // width + 1
            if first <= state[0]:
                return None
            indices = state[1]
            low = bisect_left(indices, first)
            return kind_read(state, low, bisect_right(indices, at // width, low), own)

        return read

    def _prune(self, state: State, latest: int) -> None:
        indices = state[1]
        gone = bisect_left(indices, (latest - self.keep) // self.width + 1)
        excess = len(indices) - KEPT_BUCKETS
        if excess > gone:
            gone = excess
            state[0] = indices[gone - 1]
        if gone:
            for column in state[1:]:
                del column[:gone]


class Gaps(Window, frozen=True, kw_only=True):
    """Reads whether a window of first, last or extreme values forgot what it would be read as: a
    bucket in it let values fall, and those that it kept were taken out."""

    def reader(self, length: int) -> Callable[..., bool]:
        width, kind = self.width, self.kind

        def read(state: State, at: int, own: Any = None) -> bool:
            low = bisect_left(state[1], (at - length) // width + 1)
            cells = state[2][low : bisect_right(state[1], at // width, low)]
            if own is not None:
                cells[-1] = deepcopy(cells[-1])
                kind.take([state[0], [], cells], -1, own)
            return any(fallen and not kept for fallen, _, kept, *_ in cells)

        return read
