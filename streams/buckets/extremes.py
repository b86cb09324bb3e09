"""Buckets that keep their smallest or greatest values."""

from bisect import bisect_left
from typing import Any

from streams.buckets.kind import CELLS, COUNT_BYTES, Appending, State
from streams.buckets.values import fit

KEPT_EXTREMES = 8
"""Values a bucket keeps for min and max, so that a reversed event can be taken out again."""


class Extremes(Appending):
    """The smallest (sign 1) or greatest (sign -1) value. Reads as an int, or None: none or unknown.

    A bucket keeps its KEPT_EXTREMES best values, each with how often: `[fallen, bound, values,
    times]`. `fallen` counts the others, all of them at or beyond `bound`. The answer is exact or,
    when every kept value was taken out again and others had fallen off, unknown.
    """

    lists = 1

    def __init__(self, name: str, sign: int) -> None:
        self.name = name
        self.sign = sign

    def insert(self, state: State, i: int) -> None:
        state[CELLS].insert(i, [0, 0, [], []])

    def put(self, state: State, i: int, value: int) -> None:
        self._put(state[CELLS][i], value * self.sign, 1)

    def _put(self, cell: list[Any], value: int, often: int) -> None:
        fallen, bound, values, times = cell
        if fallen and value >= int(bound):
            cell[0] += often
            return
        at = bisect_left(values, value, key=int)
        if at < len(values) and int(values[at]) == value:
            times[at] += often
            return
        values.insert(at, fit(value))
        times.insert(at, often)
        if len(values) > KEPT_EXTREMES:
            cell[0], cell[1] = fallen + times.pop(), values.pop()

    def take(self, state: State, i: int, value: int) -> bool:
        return self._take(state[CELLS][i], value * self.sign)

    def merge(self, state: State, i: int, other: State, j: int) -> None:
        cell, (more, end, others, often) = state[CELLS][i], other[CELLS][j]
        for value, count in zip(others, often, strict=True):
            self._put(cell, int(value), count)
        if not more:
            return
        fallen, bound, values, times = cell
        bound = min(int(bound), int(end)) if fallen else int(end)
        at = bisect_left(values, bound, key=int)
        cell[:2] = fallen + more + sum(times[at:]), fit(bound)
        del values[at:], times[at:]

    def _take(self, cell: list[Any], value: int) -> bool:
        fallen, bound, values, times = cell
        at = bisect_left(values, value, key=int)
        if at < len(values) and int(values[at]) == value:
            times[at] -= 1
            if not times[at]:
                del values[at], times[at]
        elif fallen and value >= int(bound):
            cell[0] -= 1
        return not values and not cell[0]

    def size(self, state: State, i: int) -> int:
        fallen, _, _, times = state[CELLS][i]
        return fallen + sum(times) if fallen else 0

    def bytes(self, value: int) -> int:
        return 3 + COUNT_BYTES + value + KEPT_EXTREMES * (value + COUNT_BYTES)

    def read(self, state: State, low: int, high: int, own: int | None) -> int | None:
        cells = state[CELLS][low:high]
        if own is not None:
            fallen, bound, values, times = cells[-1]
            cells[-1] = [fallen, bound, values[:], times[:]]
            self._take(cells[-1], own * self.sign)
        best = None
        for fallen, _, values, _ in cells:
            if values:
                first = int(values[0])
                if best is None or first < best:
                    best = first
            elif fallen:
                return None
        return None if best is None else best * self.sign
