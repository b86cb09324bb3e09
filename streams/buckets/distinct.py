"""Buckets that keep which values they were given."""

from typing import Any

from streams.buckets.kind import CELLS, COUNT_BYTES, Appending, State
from streams.buckets.values import fit

KEPT_DISTINCT = 32
"""Values a bucket keeps for distinct."""


class Distinct(Appending):
    """How many different values. Reads as an int, never more than the truth.

    A bucket keeps up to KEPT_DISTINCT values, each with how often, and counts what fell off:
    `[fallen, {value: times}]`. Below that number the answer is exact.
    """

    name = "distinct"
    lists = 1

    def insert(self, state: State, i: int) -> None:
        state[CELLS].insert(i, [0, {}])

    def put(self, state: State, i: int, value: int) -> None:
        self._put(state[CELLS][i], fit(value), 1)

    def _put(self, cell: list[Any], key: int | str, often: int) -> None:
        times = cell[1]
        if key in times:
            times[key] += often
        elif len(times) < KEPT_DISTINCT:
            times[key] = often
        else:
            cell[0] += often

    def merge(self, state: State, i: int, other: State, j: int) -> None:
        cell, (more, others) = state[CELLS][i], other[CELLS][j]
        for key, often in others.items():
            self._put(cell, key, often)
        cell[0] += more

    def take(self, state: State, i: int, value: int) -> bool:
        return self._take(state[CELLS][i], value)

    def _take(self, cell: list[Any], value: int) -> bool:
        times, key = cell[1], fit(value)
        if key in times:
            times[key] -= 1
            if not times[key]:
                del times[key]
        elif cell[0]:
            cell[0] -= 1
        return not times and not cell[0]

    def size(self, state: State, i: int) -> int:
        fallen, times = state[CELLS][i]
        return fallen + sum(times.values()) if fallen else 0

    def bytes(self, value: int) -> int:
        return 4 + COUNT_BYTES + KEPT_DISTINCT * (value + COUNT_BYTES)

    def read(self, state: State, low: int, high: int, own: int | None) -> int:
        cells = state[CELLS][low:high]
        if own is not None:
            cells[-1] = [cells[-1][0], dict(cells[-1][1])]
            self._take(cells[-1], own)
        return len(set().union(*[times for _, times in cells]))
