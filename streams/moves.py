"""What was held of a thing and how it came about: its last moves, packed in 23 bytes each.

They are replayed in the order of event times, so the result is the same whatever order they came
in. An amount is in the thing's own currency; its base amount is carried along: what is taken away
takes the same share off both, and where nothing is left of one, nothing is of the other.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from streams.buckets.values import scale
from streams.history import MONTHS, amount
from streams.months import Moment

KEPT_MOVES = 26
"""Two a month. What is older is one entry before them, to which late words on that time are
added."""
_PACKED = Struct(">HIBqq")
_DECIMALS = 4
_MOST = 2**63 - 1


class Kind(IntEnum):
    CHANGE = 0
    """So much more, or less."""
    SET = 1
    """The whole of it, as it is from then on."""
    LEFT = 2
    """The whole of it, with its share of the base amount; with its own where there was none."""
    OPENING = 3
    """The sum of what was before."""


_SET, _LEFT, _OPENING = int(Kind.SET), int(Kind.LEFT), int(Kind.OPENING)
"""Looked up once, and compared as the numbers that they are."""


class _Move(NamedTuple):
    month: int
    since: int
    """When in the month, milliseconds."""
    kind: int
    amount: int
    base: int


_Held = tuple[int, int]
"""Amount and base amount, in units."""


def add(moves: bytes, when: Moment, kind: Kind, amount: Decimal, base: Decimal) -> bytes:
    """The moves with one more; of two at the same time the last to come is the later one."""
    move = _Move(when.month, when.since, kind, _units(amount), _units(base))
    kept = list(_moves(moves))
    place = len(kept)
    while place and kept[place - 1][:2] > move[:2]:
        place -= 1
    if kept and not place and kept[0].kind == _OPENING:
        if kind is Kind.CHANGE:
            kept[0] = _opening(kept[0], _after((kept[0].amount, kept[0].base), move))
    else:
        kept.insert(place, move)
    return _pack(_bounded(kept))


def held(moves: bytes) -> tuple[Decimal, Decimal]:
    """The amount that is held in the end, and its base amount."""
    now = (0, 0)
    for move in _PACKED.iter_unpack(moves):
        now = _after(now, move)
    return amount(now[0]), amount(now[1])


def ends_whole(moves: bytes) -> bool:
    """Whether the last word told the whole thing anew."""
    _, _, kind, _, _ = _PACKED.unpack_from(moves, len(moves) - _PACKED.size)
    return bool(kind == _SET)


def add_differences(moves: bytes, first: int, differences: list[int]) -> None:
    """Add, month by month from `first`, by how much the base amount changed, in units; what came
    after the months asked for is left out."""
    now, end = (0, 0), first + len(differences)
    for move in _PACKED.iter_unpack(moves):
        month, before = move[0], now[1]
        if month >= end:
            break
        now = _after(now, move)
        differences[month - first if month > first else 0] += now[1] - before


def _after(before: _Held, move: tuple[int, int, int, int, int]) -> _Held:
    """`move` is a _Move, or one as it is packed."""
    held, base = before
    _, _, kind, amount, base_amount = move
    if kind in (_SET, _OPENING):
        return amount, base_amount
    now = amount if kind == _LEFT else held + amount
    if now <= 0:
        return now, 0
    if kind == _LEFT:
        return now, _share(base, now, held) if held > 0 and base else base_amount
    if amount <= 0:  # held was more than that
        return now, _share(base, now, held)
    return now, base + base_amount if held >= 0 else _share(base_amount, now, amount)


def _share(base: int, part: int, whole: int) -> int:
    return (2 * base * part + whole) // (2 * whole)


def _bounded(moves: list[_Move]) -> list[_Move]:
    """Without what a later word on the whole makes irrelevant: to the months that are kept, or
    within its own."""
    oldest = moves[-1].month - MONTHS
    kept: list[_Move] = []
    for move in moves:
        if move.kind == _SET:
            if move.month <= oldest:
                kept.clear()
            while kept and kept[-1].month == move.month:
                kept.pop()
        kept.append(move)
    while len(kept) > KEPT_MOVES:
        first, second = kept[:2]
        kept[:2] = [_opening(second, _after(_after((0, 0), first), second))]
    return kept


def _opening(at: _Move, now: _Held) -> _Move:
    return _Move(at.month, at.since, _OPENING, _within(now[0]), _within(now[1]))


def _within(units: int) -> int:
    """Money always is; no sum of it that is real is not."""
    return max(-_MOST, min(_MOST, units))


def _units(value: Decimal) -> int:
    return _within(scale(value, _DECIMALS))


def _moves(moves: bytes) -> Iterator[_Move]:
    return map(_Move._make, _PACKED.iter_unpack(moves))


def _pack(moves: Iterable[_Move]) -> bytes:
    return b"".join(_PACKED.pack(*one) for one in moves)
