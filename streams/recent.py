"""The last events of a kind, each with a few of its fields, for sequences to look back at.

The state is `[kept]`: up to KEPT_EVENTS times `[time, value, …]` in their order, plain msgpack. Of
more the oldest give way. What is kept is the same whatever order the events came in.
"""

from bisect import insort
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from streams.buckets.kind import State
from streams.buckets.values import fit, scale, unscale

KEPT_EVENTS = 10
KEPT_LENGTH = 128
"""Characters of a text: a longer one is unknown, so that it is never taken for another."""

Occurrence = tuple[int, tuple[Any, ...]]
"""An event's time and the values that are kept of it."""


class Recent(Struct, frozen=True, kw_only=True):
    """How to keep them. It is used as a Window is; a value is the list of an event's fields."""

    keep: int
    """How far back they are asked for, plus the allowed lateness; milliseconds."""
    decimals: tuple[int | None, ...]
    """Of each field; None of what is no number."""
    width: int = 1
    """As a Window's: times are exact."""

    def new(self) -> State:
        return [[]]

    def add(self, state: State, at: int, value: Any, latest: int) -> None:
        """Put an event in. `latest` is the record's greatest event time, this event included."""
        kept, one = state[0], [at, *value]
        if not kept or kept[-1][0] < at:
            kept.append(one)
        else:
            insort(kept, one, key=_order)
        if len(kept) > KEPT_EVENTS or kept[0][0] < latest - self.keep:
            self._prune(state, latest)

    def merge(self, state: State, other: State, latest: int) -> None:
        """Put all of another state of the same events in: a part of them each."""
        state[0] = sorted([*state[0], *other[0]], key=_order)
        self._prune(state, latest)

    def drop_upto(self, state: State, at: int) -> None:
        state[0] = [one for one in state[0] if one[0] > at]

    def drop_after(self, state: State, at: int) -> None:
        state[0] = [one for one in state[0] if one[0] <= at]

    def _prune(self, state: State, latest: int) -> None:
        kept, oldest = state[0], latest - self.keep
        gone = max(0, len(kept) - KEPT_EVENTS)
        while gone < len(kept) and kept[gone][0] < oldest:
            gone += 1
        del kept[:gone]

    def bytes(self, value: int) -> int:
        """More than a state takes whose values, together, take so many bytes each time."""
        return 4 + KEPT_EVENTS * (12 + value)

    def growth(self, value: int) -> int:
        """More than it grows by with one of them."""
        return 4 + 12 + value

    def remove(self, state: State, at: int, value: Any) -> bool:
        """Take an event out that was added before; nothing happens where it fell off. Whether it
        was there."""
        is_there = (one := [at, *value]) in state[0]
        if is_there:
            state[0].remove(one)
        return is_there

    def reader(self, length: int) -> Callable[..., Sequence[Occurrence]]:
        """`read(state, at, own=None)`: those before `at`, up to `length` before, the last first."""

        def read(state: State, at: int, _own: Any = None) -> Sequence[Occurrence]:
            return [
                (one[0], tuple(map(_read, one[1:], self.decimals)))
                for one in reversed(state[0])
                if at - length <= one[0] < at
            ]

        return read


def keep(value: Any, decimals: int) -> Any:
    """A field as it is kept: a Decimal scaled, see buckets.scale."""
    match value:
        case str():
            return value if len(value) <= KEPT_LENGTH else None
        case bool() | None:
            return value
        case int() | Decimal():
            return fit(scale(value, decimals))
    raise TypeError(f"{type(value).__name__} is not kept")


def _read(kept: Any, decimals: int | None) -> Any:
    return kept if kept is None or decimals is None else unscale(int(kept), decimals)


def _order(one: list[Any]) -> tuple[int, str]:
    return one[0], str(one[1:])
