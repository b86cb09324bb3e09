"""How aggregates are read from the states of a record."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from typing import Any

from schemas.packed import UNASKED
from streams.buckets.values import unscale
from streams.expressions.nodes import Aggregate, Base
from streams.months import MONTH, Clocks
from streams.rules.kept import Kept, Own, Windows

_EXACTLY = Context(prec=28)
_TWICE = Context(prec=60)
"""Digits of a variance, so that the root of it is rounded once."""

Read = Callable[[Windows, Clocks, Own], Any]
"""Of the windows that end at a time, one aggregate's value."""


class Readings(dict[int, Any]):
    """The aggregates' values for one event, by number, each read when first asked for."""

    __slots__ = ("asked",)
    asked: tuple[Sequence[Read], Windows, Clocks, Own]
    """How each is read, and of what: `how[number](*of_what)` for whoever asks once. Set by whoever
    makes them: there is one for each event, and a call would be the half of making it."""

    def __missing__(self, number: int) -> Any:
        reads, windows, when, own = self.asked
        value = self[number] = reads[number](windows, when, own)
        return value


class _Nothing:
    def __getitem__(self, _: int) -> Callable[..., None]:
        return nothing_asked


class Unknown(dict[int, Any]):
    """The readings of an event that came too late: all unknown."""

    asked = _Nothing(), None, None, None

    def __missing__(self, number: int) -> None:
        return None


UNKNOWN = Unknown()


def nothing_asked(_windows: object, _when: object, _own: object) -> None:
    """Of an aggregate that no rule of the set asks for."""


def reader(one: Aggregate, kept: Kept) -> Read:
    """Most aggregates are counts and sums: those are read without the calls that others take, and
    most of what rules ask for never happened."""
    if one.months:
        return _months(one, kept, one.months)
    if one.prior_by:
        return _earlier(one, kept)
    if one.function in ("count", "sum"):
        return _plain(one, kept)
    key, window, prior, finish = kept.key, kept.window, one.prior, _finish(one)
    nothing, read_window, clock = window.new(), window.reader(one.length), kept.clock

    def read(windows: Windows, when: Clocks, own: Own) -> Any:
        state = windows.read.get(key) or windows.get(key) or nothing
        raw = read_window(state, when[clock], own.get(key) if prior else None)
        return raw if raw is None or finish is None else finish(raw)

    return read


def _earlier(one: Aggregate, kept: Kept) -> Read:
    """Without the last buckets: a window that ended before them."""
    key, nothing, finish = kept.key, kept.window.new(), _finish(one)
    left_out, clock = one.prior_by + kept.window.width, kept.clock
    read_window = kept.window.reader(one.length - left_out)

    def read(windows: Windows, when: Clocks, _own: Own) -> Any:
        state = windows.read.get(key) or windows.get(key) or nothing
        raw = read_window(state, when[clock] - left_out)
        return raw if raw is None or finish is None else finish(raw)

    return read


def _months(one: Aggregate, kept: Kept, months: tuple[int, int]) -> Read:
    key, nothing, finish = kept.key, kept.window.new(), _finish(one)
    first, last = months
    read_window = kept.window.reader(last - first + 1)
    has_own = one.prior and last == 0

    def read(windows: Windows, when: Clocks, own: Own) -> Any:
        state = windows.read.get(key) or windows.get(key) or nothing
        raw = read_window(state, when[MONTH] + last, own.get(key) if has_own else None)
        return raw if raw is None or finish is None else finish(raw)

    return read


def _plain(one: Aggregate, kept: Kept) -> Read:
    """A count or a sum, as Window.reader, Counts and Totals read it."""
    key, width, length, decimals = kept.key, kept.window.width, one.length, one.decimals
    prior, is_sum = one.prior, one.function == "sum"
    zero = unscale(0, decimals) if is_sum else 0
    cells = 3 if is_sum else 2
    nothing, clock, since = kept.window.new(), kept.clock, one.length + kept.window.width

    def read(windows: Windows, when: Clocks, own: Own) -> Any:
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
        indices, last = state[1], at // width
        mine = own.get(key) if prior else None
        if not indices or indices[-1] < first:
            return zero
        low = bisect_left(indices, first) if indices[0] < first else 0
        some = state[cells][low : None if indices[-1] <= last else bisect_right(indices, last, low)]
        if not is_sum:
            return sum(some) - (mine is not None)
        try:
            total = sum(some)
        except TypeError:  # some are too large for a number of msgpack's, and texts
            total = sum(map(int, some))
        return unscale(total if mine is None else total - mine, decimals)

    return read


def _finish(one: Aggregate) -> Callable[[Any], Any] | None:
    """From what a window reads as to the aggregate's value; None where that is the same."""
    decimals, at_least = one.decimals, one.at_least
    match one.function:
        case "stddev":
            return lambda raw: _deviation(raw, decimals, at_least)
        case "first" | "last":
            is_number = one.value is not None and one.value.type.base is Base.NUMBER
            return (lambda raw: unscale(int(raw), decimals)) if is_number else None
        case "sum":  # of months and earlier ones; others are read as they are
            return lambda raw: unscale(raw[1], decimals)
        case "avg":
            return lambda raw: (
                None if raw[0] < at_least else Decimal(raw[1]).scaleb(-decimals) / raw[0]
            )
        case "min" | "max":
            return lambda raw: unscale(raw, decimals)
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
