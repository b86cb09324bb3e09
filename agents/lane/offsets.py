"""How far each input partition was applied and committed. The runners alone advance it.

Faust keeps the offsets of single messages that were acknowledged; for chunks that bookkeeping is
wrong (it commits one chunk a call, and passes over one that is held), so it is not used.
"""

from collections.abc import Iterator, Mapping

from faust.types import TP


class Offsets:
    """Partition → the next offset to take. What is committed to the group, for lag displays."""

    def __init__(self) -> None:
        self._next: dict[TP, int] = {}

    def advance(self, ends: Mapping[TP, int]) -> None:
        for tp, end in ends.items():
            assert end >= self._next.get(tp, 0), "offsets only advance"
            self._next[tp] = end

    def get(self, tp: TP) -> int | None:
        return self._next.get(tp)

    def clear(self) -> None:
        """Forget all: the partitions were revoked."""
        self._next.clear()

    def __iter__(self) -> Iterator[TP]:
        return iter(tuple(self._next))
