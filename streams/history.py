"""What something was worth at the ends of months, packed in 16 bytes a month.

Each month keeps the last word by event time on a state, such as a balance. The last MONTHS of each
thing are kept, counted from its own newest; what is older is one entry before them, so that the
months kept are exact. All of it is the same whatever order events come in, unless two words have
the same time. Of what is bought and redeemed, see streams/moves.py.
"""

from collections.abc import Iterable
from decimal import Decimal
from struct import Struct

from streams.buckets.values import scale, unscale
from streams.months import Moment

MONTHS = 13
"""A year, and the month before it to compare with."""
_PACKED = Struct(">HIhQ")
"""Month, since when in it, and 80 bits of units: more than any sum of amounts needs."""
_SIZE = _PACKED.size
_LOW = 2**64 - 1
_DECIMALS = 4


def tell(history: bytes, when: Moment, value: Decimal) -> bytes:
    """The history with one more word on a state; the last one to come wins at the same time."""
    start = end = len(history)
    while start:
        month, since, _, _ = _PACKED.unpack_from(history, start - _SIZE)
        if month < when.month:
            break
        start -= _SIZE
        if month == when.month:
            if since > when.since:
                return history
            break
        end = start
    units = scale(value, _DECIMALS)
    told = _PACKED.pack(when.month, when.since, units >> 64, units & _LOW)
    words = history[:start] + told + history[end:]
    return words if start < end else _bounded(words)


def _bounded(history: bytes) -> bytes:
    """Without what is older than one that is too old itself."""
    oldest = first_month(history[-_SIZE:]) - MONTHS
    while len(history) > _SIZE and first_month(history[_SIZE:]) <= oldest:
        history = history[_SIZE:]
    return history


def add_differences(history: bytes, openness: bytes, first: int, differences: list[int]) -> None:
    """Add, month by month from `first`, by how much a thing's value changed, in units; what came
    after the months asked for is left out.

    What is closed is worth nothing, whatever is said of its value meanwhile; without `openness` it
    was never closed.
    """
    before, end = 0, first + len(differences)
    for month, value in _values(history, openness):
        if month >= end:
            break
        differences[month - first if month > first else 0] += value - before
        before = value


def _values(history: bytes, openness: bytes) -> Iterable[tuple[int, int]]:
    """What it was worth, each with the month from which on it was."""
    told = _words(history)
    if not openness:
        return told
    opened = _words(openness)
    words = [(month, False, units) for month, units in told]
    words += [(month, True, units) for month, units in opened]
    values, value, is_open = [], 0, True
    for month, of_openness, units in sorted(words):
        if of_openness:
            is_open = units > 0
        else:
            value = units
        values.append((month, value if is_open else 0))
    return values


def _words(history: bytes) -> list[tuple[int, int]]:
    return [(month, (high << 64) + low) for month, _, high, low in _PACKED.iter_unpack(history)]


def amount(units: int) -> Decimal:
    return Decimal(unscale(units, _DECIMALS))


def first_month(history: bytes) -> int:
    """Of a history that has one."""
    return int.from_bytes(history[:2])
