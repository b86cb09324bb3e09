"""Buckets that keep the values of their first or last events."""

from bisect import insort
from typing import Any

from streams.buckets.kind import CELLS, COUNT_BYTES, Appending, State

KEPT_ENDS = 4
"""Values a bucket keeps for first and last, likewise."""
_TIME_BYTES = 10
"""More than a time takes beside its value, in a list."""


class Ends(Appending):
    """The value of the first or the last event. Reads as the value, or None: none or unknown.

    A value is `[time, value]`. A bucket keeps its first (or last) ones: `[fallen,
    bound, kept]`, `fallen` counts the others, all of them at or beyond `bound`. The answer is exact
    or, when every kept value was taken out again and others had fallen off, unknown. Of two at the
    same time the one whose text is greater counts as the later one.
    """

    lists = 1

    def __init__(self, name: str, end: int, most: int = KEPT_ENDS) -> None:
        """A bucket keeps so many at `most`."""
        self.name = name
        self.most = most
        self.end = end
        """Where in a sorted list the wanted one is: 0 or -1; what gives way is at the other."""
        self._far = -1 - end

    def insert(self, state: State, i: int) -> None:
        state[CELLS].insert(i, [0, None, []])

    def put(self, state: State, i: int, value: Any) -> None:
        cell = state[CELLS][i]
        fallen, bound, kept = cell
        if fallen and self._is_beyond(value, bound):
            cell[0] += 1
            return
        if not kept or kept[-1][0] < value[0]:
            kept.append(value)
        else:
            insort(kept, value, key=_by_time)
        if len(kept) > self.most:
            cell[0], cell[1] = fallen + 1, kept.pop(self._far)

    def take(self, state: State, i: int, value: Any) -> bool:
        return self._take(state[CELLS][i], value)

    def merge(self, state: State, i: int, other: State, j: int) -> None:
        cell, (more, end, others) = state[CELLS][i], other[CELLS][j]
        for value in others:
            self.put(state, i, value)
        if not more:
            return
        fallen, bound, kept = cell
        bound = end if not fallen or self._is_beyond(bound, end) else bound
        within = [one for one in kept if self._is_beyond(bound, one)]
        cell[:] = fallen + more + len(kept) - len(within), bound, within

    def _take(self, cell: list[Any], value: Any) -> bool:
        fallen, bound, kept = cell
        if value in kept:
            kept.remove(value)
        elif fallen and self._is_beyond(value, bound):
            cell[0] -= 1
        return not kept and not cell[0]

    def _is_beyond(self, value: Any, bound: Any) -> bool:
        if value[0] != bound[0]:
            return bool(value[0] < bound[0] if self.end else value[0] > bound[0])
        one, other = _by_time(value), _by_time(bound)
        return one <= other if self.end else one >= other

    def size(self, state: State, i: int) -> int:
        fallen, _, kept = state[CELLS][i]
        return fallen + len(kept) if fallen else 0

    def bytes(self, value: int) -> int:
        return 2 + COUNT_BYTES + (1 + self.most) * (_TIME_BYTES + value)

    def read(self, state: State, low: int, high: int, own: Any) -> Any:
        cells = state[CELLS][low:high]
        if own is not None:
            fallen, bound, kept = cells[-1]
            cells[-1] = [fallen, bound, kept[:]]
            self._take(cells[-1], own)
        for fallen, _, kept in reversed(cells) if self.end else cells:
            if kept:
                return kept[self.end][1]
            if fallen:
                return None
        return None


def _by_time(value: list[Any]) -> tuple[int, str]:
    at, one = value
    return at, str(one)
