"""Buckets that count and add up: they know all that they were given."""

from streams.buckets.kind import CELLS, COUNT_BYTES, Exact, State
from streams.buckets.values import fit

WIDE = 20
"""Bytes of 64 bits as text."""


def summed(value: int) -> int:
    """More than the sum of a thousand million values takes, each of so many bytes at most: as text,
    as it may not fit into 64 bits."""
    return max(value, WIDE) + 12


class Counts(Exact):
    """How many. Reads as an int."""

    name = "count"
    lists = 1

    def insert(self, state: State, i: int) -> None:
        state[CELLS].insert(i, 0)

    def append(self, state: State, value: int) -> None:  # noqa: ARG002  # the protocol's
        state[CELLS].append(1)

    def put(self, state: State, i: int, value: int) -> None:  # noqa: ARG002  # the protocol's
        state[CELLS][i] += 1

    def take(self, state: State, i: int, value: int) -> bool:  # noqa: ARG002  # the protocol's
        state[CELLS][i] -= 1
        return bool(state[CELLS][i] <= 0)

    def bytes(self, value: int) -> int:  # noqa: ARG002  # the protocol's
        return COUNT_BYTES

    def merge(self, state: State, i: int, other: State, j: int) -> None:
        state[CELLS][i] += other[CELLS][j]

    def read(self, state: State, low: int, high: int, own: int | None) -> int:
        count: int = sum(state[CELLS][low:high])
        return count if own is None else count - 1


class Totals(Exact):
    """How many and how much. Reads as (count, exact sum)."""

    name = "total"
    lists = 2

    def insert(self, state: State, i: int) -> None:
        _, _, counts, sums = state
        counts.insert(i, 0)
        sums.insert(i, 0)

    def append(self, state: State, value: int) -> None:
        _, _, counts, sums = state
        counts.append(1)
        sums.append(fit(value))

    def put(self, state: State, i: int, value: int) -> None:
        _, _, counts, sums = state
        counts[i] += 1
        sums[i] = fit(int(sums[i]) + value)

    def take(self, state: State, i: int, value: int) -> bool:
        _, _, counts, sums = state
        counts[i] -= 1
        sums[i] = fit(int(sums[i]) - value)
        return bool(counts[i] <= 0)

    def bytes(self, value: int) -> int:
        return COUNT_BYTES + summed(value)

    def merge(self, state: State, i: int, other: State, j: int) -> None:
        _merge_sums(state, i, other, j)

    def read(self, state: State, low: int, high: int, own: int | None) -> tuple[int, int]:
        _, _, counts, sums = state
        some = sums[low:high]
        try:
            total = sum(some)
        except TypeError:
            total = sum(map(int, some))
        if own is None:
            return sum(counts[low:high]), total
        return sum(counts[low:high]) - 1, total - own


class Squares(Exact):
    """How many, how much, and the sum of the squares. Reads as (count, sum, sum of squares)."""

    name = "squares"
    lists = 3

    def insert(self, state: State, i: int) -> None:
        for cells in state[CELLS:]:
            cells.insert(i, 0)

    def put(self, state: State, i: int, value: int) -> None:
        self._add(state, i, 1, value)

    def take(self, state: State, i: int, value: int) -> bool:
        self._add(state, i, -1, value)
        return bool(state[CELLS][i] <= 0)

    def _add(self, state: State, i: int, times: int, value: int) -> None:
        _, _, counts, sums, squares = state
        counts[i] += times
        sums[i] = fit(int(sums[i]) + times * value)
        squares[i] = fit(int(squares[i]) + times * value * value)

    def bytes(self, value: int) -> int:
        return COUNT_BYTES + summed(value) + summed(2 * max(value, WIDE))

    def merge(self, state: State, i: int, other: State, j: int) -> None:
        _merge_sums(state, i, other, j)

    def read(self, state: State, low: int, high: int, own: int | None) -> tuple[int, int, int]:
        _, _, counts, sums, squares = state
        count = sum(counts[low:high])
        total, square = sum(map(int, sums[low:high])), sum(map(int, squares[low:high]))
        return (count, total, square) if own is None else (count - 1, total - own, square - own**2)


def _merge_sums(state: State, i: int, other: State, j: int) -> None:
    for cells, others in zip(state[CELLS:], other[CELLS:], strict=True):
        cells[i] = fit(int(cells[i]) + int(others[j]))
