"""What one bucket of a window holds: counts, totals, squares, extremes, first or distinct values.

A window's state is `[cut, indices, cells, …]` (see streams/windows.py): the lists of cells stand
beside the list of bucket indices. Values are integers (a Decimal scaled, see scale), so sums
are exact; one beyond 64 bits, which msgpack does not have, is kept as text.
"""

from bisect import bisect_left, insort
from decimal import Decimal
from typing import Any, Protocol
from zlib import crc32

State = list[Any]
Value = int | Decimal | str

KEPT_EXTREMES = 8
"""Values a bucket keeps for min and max, so that a reversed event can be taken out again."""
KEPT_DISTINCT = 32
"""Values a bucket keeps for distinct."""
KEPT_ENDS = 4
"""Values a bucket keeps for first and last, likewise."""
KEPT_FOR_GOOD = 1
"""The same of events that nothing takes back."""
KEPT_REPLAYED = 8
"""The same where rules that can be amended look at them: those take out and play again."""
TEXT_BYTES = 64
"""Of a text that first and last keep; the rest is cut off."""

_UNITS = [Decimal(1).scaleb(decimals) for decimals in range(9)]
_PARTS = [Decimal(1).scaleb(-decimals) for decimals in range(9)]
COUNT_BYTES = 5
"""More than a count takes: 32 bits and what it begins with. So does a bucket's index."""
_TIME_BYTES = 10
"""More than a time takes beside its value, in a list."""
_CELLS = 2
"""Where the cells begin in a state."""


class Kind(Protocol):
    """One way to fill a bucket. `i` is the bucket's place in the state's lists, -1 its last."""

    name: str
    lists: int
    """How many lists of cells it keeps."""

    def insert(self, state: State, i: int) -> None:
        """A new bucket's cells, one into each list."""

    def append(self, state: State, value: Any) -> None:
        """A new last bucket that holds a value."""

    def put(self, state: State, i: int, value: Any) -> None: ...

    def take(self, state: State, i: int, value: Any) -> bool:
        """Take a value out again; True when nothing is left in the bucket."""

    def size(self, state: State, i: int) -> int:
        """How many values a bucket has, if it does not know all of them; else 0."""

    def bytes(self, value: int) -> int:
        """More than a bucket's cells take whose values take so many each."""

    def merge(self, state: State, i: int, other: State, j: int) -> None:
        """Put all of a bucket of another state in."""

    def read(self, state: State, low: int, high: int, own: Any) -> Any:
        """The buckets from `low` up to `high`, less one `own` value that is in the last of them."""


class _Appending:
    """As any kind can."""

    def append(self: Kind, state: State, value: Any) -> None:
        self.insert(state, len(state[_CELLS]))
        self.put(state, -1, value)


class _Exact(_Appending):
    """Knows all that it was given."""

    def size(self, state: State, i: int) -> int:  # noqa: ARG002  # the protocol's
        return 0


class Counts(_Exact):
    """How many. Reads as an int."""

    name = "count"
    lists = 1

    def insert(self, state: State, i: int) -> None:
        state[_CELLS].insert(i, 0)

    def append(self, state: State, value: int) -> None:  # noqa: ARG002  # the protocol's
        state[_CELLS].append(1)

    def put(self, state: State, i: int, value: int) -> None:  # noqa: ARG002  # the protocol's
        state[_CELLS][i] += 1

    def take(self, state: State, i: int, value: int) -> bool:  # noqa: ARG002  # the protocol's
        state[_CELLS][i] -= 1
        return bool(state[_CELLS][i] <= 0)

    def bytes(self, value: int) -> int:  # noqa: ARG002  # the protocol's
        return COUNT_BYTES

    def merge(self, state: State, i: int, other: State, j: int) -> None:
        state[_CELLS][i] += other[_CELLS][j]

    def read(self, state: State, low: int, high: int, own: int | None) -> int:
        count: int = sum(state[_CELLS][low:high])
        return count if own is None else count - 1


class Totals(_Exact):
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


class Squares(_Exact):
    """How many, how much, and the sum of the squares. Reads as (count, sum, sum of squares)."""

    name = "squares"
    lists = 3

    def insert(self, state: State, i: int) -> None:
        for cells in state[_CELLS:]:
            cells.insert(i, 0)

    def put(self, state: State, i: int, value: int) -> None:
        self._add(state, i, 1, value)

    def take(self, state: State, i: int, value: int) -> bool:
        self._add(state, i, -1, value)
        return bool(state[_CELLS][i] <= 0)

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
    for cells, others in zip(state[_CELLS:], other[_CELLS:], strict=True):
        cells[i] = fit(int(cells[i]) + int(others[j]))


class Extremes(_Appending):
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
        state[_CELLS].insert(i, [0, 0, [], []])

    def put(self, state: State, i: int, value: int) -> None:
        self._put(state[_CELLS][i], value * self.sign, 1)

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
        return self._take(state[_CELLS][i], value * self.sign)

    def merge(self, state: State, i: int, other: State, j: int) -> None:
        cell, (more, end, others, often) = state[_CELLS][i], other[_CELLS][j]
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
        fallen, _, _, times = state[_CELLS][i]
        return fallen + sum(times) if fallen else 0

    def bytes(self, value: int) -> int:
        return 3 + COUNT_BYTES + value + KEPT_EXTREMES * (value + COUNT_BYTES)

    def read(self, state: State, low: int, high: int, own: int | None) -> int | None:
        cells = state[_CELLS][low:high]
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


class Ends(_Appending):
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
        state[_CELLS].insert(i, [0, None, []])

    def put(self, state: State, i: int, value: Any) -> None:
        cell = state[_CELLS][i]
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
        return self._take(state[_CELLS][i], value)

    def merge(self, state: State, i: int, other: State, j: int) -> None:
        cell, (more, end, others) = state[_CELLS][i], other[_CELLS][j]
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
        fallen, _, kept = state[_CELLS][i]
        return fallen + len(kept) if fallen else 0

    def bytes(self, value: int) -> int:
        return 2 + COUNT_BYTES + (1 + self.most) * (_TIME_BYTES + value)

    def read(self, state: State, low: int, high: int, own: Any) -> Any:
        cells = state[_CELLS][low:high]
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


class Distinct(_Appending):
    """How many different values. Reads as an int, never more than the truth.

    A bucket keeps up to KEPT_DISTINCT values, each with how often, and counts what fell off:
    `[fallen, {value: times}]`. Below that number the answer is exact.
    """

    name = "distinct"
    lists = 1

    def insert(self, state: State, i: int) -> None:
        state[_CELLS].insert(i, [0, {}])

    def put(self, state: State, i: int, value: int) -> None:
        self._put(state[_CELLS][i], fit(value), 1)

    def _put(self, cell: list[Any], key: int | str, often: int) -> None:
        times = cell[1]
        if key in times:
            times[key] += often
        elif len(times) < KEPT_DISTINCT:
            times[key] = often
        else:
            cell[0] += often

    def merge(self, state: State, i: int, other: State, j: int) -> None:
        cell, (more, others) = state[_CELLS][i], other[_CELLS][j]
        for key, often in others.items():
            self._put(cell, key, often)
        cell[0] += more

    def take(self, state: State, i: int, value: int) -> bool:
        return self._take(state[_CELLS][i], value)

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
        fallen, times = state[_CELLS][i]
        return fallen + sum(times.values()) if fallen else 0

    def bytes(self, value: int) -> int:
        return 4 + COUNT_BYTES + KEPT_DISTINCT * (value + COUNT_BYTES)

    def read(self, state: State, low: int, high: int, own: int | None) -> int:
        cells = state[_CELLS][low:high]
        if own is not None:
            cells[-1] = [cells[-1][0], dict(cells[-1][1])]
            self._take(cells[-1], own)
        return len(set().union(*[times for _, times in cells]))


COUNTS = Counts()
TOTALS = Totals()
MINIMUM = Extremes("min", 1)
MAXIMUM = Extremes("max", -1)
DISTINCT = Distinct()
SQUARES = Squares()
FIRST = Ends("first", 0)
LAST = Ends("last", -1)
REPLAYED = {one.name: Ends(one.name, one.end, KEPT_REPLAYED) for one in (FIRST, LAST)}
FOR_GOOD = {one.name: Ends(one.name, one.end, KEPT_FOR_GOOD) for one in (FIRST, LAST)}
FOR_GOOD_BUT_ONE = {one.name: Ends(one.name, one.end, KEPT_FOR_GOOD + 1) for one in (FIRST, LAST)}
"""Where what was before an event is asked for."""


WIDE = 20
"""Bytes of 64 bits as text."""


def summed(value: int) -> int:
    """More than the sum of a thousand million values takes, each of so many bytes at most: as text,
    as it may not fit into 64 bits."""
    return max(value, WIDE) + 12


def scale(value: Value, decimals: int) -> int:
    """A value as the integer that a bucket keeps.

    A number is counted in units of 10^-decimals, rounded half to even; a text becomes its CRC-32,
    so distinct takes two texts for one with a chance of about n²/2³³ among n of them.
    """
    if isinstance(value, int):
        return value * int(10**decimals)
    if isinstance(value, str):
        return crc32(value.encode())
    return round(value * _UNITS[decimals])


def plain(value: Value, decimals: int) -> int | str:
    """A value as Ends keep it: a number scaled, a text as it is."""
    if isinstance(value, str):
        if len(value) <= TEXT_BYTES and value.isascii():
            return value
        return value.encode()[:TEXT_BYTES].decode(errors="ignore")
    return fit(scale(value, decimals))


def unscale(value: int, decimals: int) -> int | Decimal:
    """The number that scale made this integer of."""
    return Decimal(value) * _PARTS[decimals] if decimals else value


def fit(value: int) -> int | str:
    """The value itself where msgpack's 64 bits suffice, else as text."""
    return value if -(2**63) <= value < 2**63 else str(value)
