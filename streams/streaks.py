"""How many events in a row without another in between; the state is bounded, plain msgpack.

An event *counts* or *breaks*. The streak at a time is how many count within a length up to then and
after the last that breaks; of two at the same instant the one that breaks is the later one. So it
does not depend on the order of arrival, and a late or a reversed event corrects it.

The state is `[cut, marks]`. A mark is an event's time, doubled, and one more if it breaks; they are
kept in order. Beyond KEPT_MARKS the oldest fall off and `cut` is the greatest time that fell: a
streak that would need those is *unknown*, unless what is kept tells it: one that breaks stands
behind them, or LONGEST_STREAK are there already.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable

from msgspec import Struct

from streams.buckets.kind import State

BREAKS = 0
COUNTS = 1
LONGEST_STREAK = 32
"""A streak that is longer reads as this."""
KEPT_MARKS = 3 * LONGEST_STREAK
"""Events that a state keeps: those of the latest streak, and some for late events."""


class Streak(Struct, frozen=True, kw_only=True):
    """How to keep one. It is used as a Window is; a value is COUNTS or BREAKS."""

    keep: int
    """The longest length that is read, plus the allowed lateness; milliseconds."""
    width: int = 1
    """As a Window's: a streak is exact."""

    def new(self) -> State:
        return [-1, []]

    def add(self, state: State, at: int, value: int, latest: int) -> None:
        """Put an event in. `latest` is the record's greatest event time, this event included."""
        cut, marks = state
        if at <= cut:
            return
        insort(marks, _mark(at, value))
        if len(marks) > KEPT_MARKS or marks[0] <= _mark(latest - self.keep, BREAKS):
            self._prune(state, latest)

    def merge(self, state: State, other: State, latest: int) -> None:
        """Put all of another state of the same streak in: a part of the events each."""
        cut = state[0] = max(state[0], other[0])
        state[1] = sorted(mark for mark in (*state[1], *other[1]) if mark >> 1 > cut)
        self._prune(state, latest)

    def drop_upto(self, state: State, at: int) -> None:
        del state[1][: bisect_right(state[1], _mark(at, BREAKS))]

    def drop_after(self, state: State, at: int) -> None:
        del state[1][bisect_right(state[1], _mark(at, BREAKS)) :]

    def _prune(self, state: State, latest: int) -> None:
        marks = state[1]
        oldest = _mark(latest - self.keep, BREAKS)
        gone = bisect_right(marks, oldest)
        if len(marks) - gone > KEPT_MARKS:
            gone = len(marks) - KEPT_MARKS
            # Those of one instant fall off together.
            state[0] = marks[gone - 1] >> 1
            gone = bisect_right(marks, _mark(state[0], BREAKS))
        del marks[:gone]

    def bytes(self, value: int) -> int:  # noqa: ARG002  # as a Window's
        """More than a state takes."""
        return 16 + 9 * KEPT_MARKS

    def growth(self, value: int) -> int:  # noqa: ARG002  # likewise
        """More than it grows by with an event."""
        return 16 + 9

    def remove(self, state: State, at: int, value: int) -> bool:
        """Take an event out that was added before; nothing happens where it fell off. Whether it
        was there."""
        marks, mark = state[1], _mark(at, value)
        i = bisect_left(marks, mark)
        is_there = i < len(marks) and marks[i] == mark
        if is_there:
            del marks[i]
        return is_there

    def reader(self, length: int) -> Callable[..., int | None]:
        """`read(state, at, own=None)` of the streak at `at`: None where it is unknown.

        `own` is the value of the event at `at` if it was added and must not count.
        """

        def read(state: State, at: int, own: int | None = None) -> int | None:
            cut, marks = state
            without = None if own is None else _mark(at, own)
            count = 0
            for mark in reversed(marks[: bisect_right(marks, _mark(at, BREAKS))]):
                if mark >> 1 <= at - length:
                    return count
                if mark == without:
                    without = None
                elif mark & 1:
                    return count
                else:
                    count += 1
                    if count == LONGEST_STREAK:
                        return count
            return count if cut <= at - length else None

        return read


def _mark(at: int, value: int) -> int:
    return 2 * at + (value == BREAKS)
