"""What something was worth at the ends of months, packed in 16 bytes a month.

Of a **state** (a balance) each month keeps the last word on it by event time, of **changes** (what
was bought and redeemed) their sum. The last MONTHS of each thing are kept, counted from its own
newest; what is older is one entry before them, so that the months kept are exact. All of it is the
same whatever order events come in.
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from streams.buckets import scale, unscale
from streams.months import Moment

MONTHS = 13
"""A year, and the month before it to compare with."""
_SIZE = 16
_DECIMALS = 4


class _Entry(NamedTuple):
    month: int
    since: int
    """Of a state: when in the month it was told, milliseconds."""
    units: int


def tell(history: bytes, when: Moment, value: Decimal) -> bytes:
    """The history with one more word on a state; the last one to come wins at the same time."""
    entries = list(_entries(history))
    told = _Entry(when.month, when.since, scale(value, _DECIMALS))
    same = next((n for n, one in enumerate(entries) if one.month == told.month), None)
    if same is None:
        entries.append(told)
        entries.sort()
    elif entries[same].since <= told.since:
        entries[same] = told
    oldest = entries[-1].month - MONTHS
    while len(entries) > 1 and entries[1].month <= oldest:
        del entries[0]
    return _pack(entries)


def change(history: bytes, when: Moment, by: Decimal) -> bytes:
    """The history with one more change."""
    sums = {one.month: one.units for one in _entries(history)}
    sums[when.month] = sums.get(when.month, 0) + scale(by, _DECIMALS)
    months = sorted(sums)
    oldest = months[-1] - MONTHS
    while len(months) > 1 and months[1] <= oldest:
        sums[months[1]] += sums[months.pop(0)]
    return _pack(_Entry(month, 0, sums[month]) for month in months)


def states(history: bytes, first: int, months: int) -> list[int]:
    """What a state was at the ends of so many months, in units; 0 before the first word on it."""
    return _at_ends(history, first, months, lambda _, units: units)


def sums(history: bytes, first: int, months: int) -> list[int]:
    """What changes came to by the ends of so many months, in units."""
    return _at_ends(history, first, months, int.__add__)


def amount(units: int) -> Decimal:
    return Decimal(unscale(units, _DECIMALS))


def first_month(history: bytes, otherwise: int) -> int:
    return int.from_bytes(history[:2]) if history else otherwise


def _at_ends(
    history: bytes, first: int, months: int, follow: Callable[[int, int], int]
) -> list[int]:
    found, value = [0] * months, 0
    entries = list(_entries(history))
    for n, one in enumerate(entries):
        value = follow(value, one.units)
        until = entries[n + 1].month if n + 1 < len(entries) else first + months
        for month in range(max(one.month, first), min(until, first + months)):
            found[month - first] = value
    return found


def _entries(history: bytes) -> Iterator[_Entry]:
    for at in range(0, len(history), _SIZE):
        yield _Entry(
            int.from_bytes(history[at : at + 2]),
            int.from_bytes(history[at + 2 : at + 6]),
            int.from_bytes(history[at + 6 : at + _SIZE], signed=True),
        )


def _pack(entries: Iterable[_Entry]) -> bytes:
    return b"".join(
        month.to_bytes(2) + since.to_bytes(4) + units.to_bytes(10, signed=True)
        for month, since, units in entries
    )
