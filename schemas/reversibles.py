"""The events of one kind that a record keeps since they may be taken back."""

from collections.abc import Iterable, Iterator

from schemas.activity import Reversible, pack_reversible, unpack_reversible

_TRUE = b"\xc3"
_NO_PARTS = b"\x90"
"""As msgpack has them; a flag is true of few, and parts come last."""


class Reversibles:
    """A section's list of packed Reversibles, with what is known of them without a look at each:
    nearly always, nothing of any was taken back."""

    __slots__ = ("packed", "size", "taken")

    def __init__(self, packed: list[bytes]) -> None:
        self.packed = packed
        self.size = sum(map(len, packed))
        """Bytes, of all."""
        self.taken = frozenset(_taken(packed))
        """The names of which something was taken back; of some it is no longer kept."""

    def insert(self, place: int, one: Reversible) -> None:
        packed = pack_reversible(one)
        self.packed.insert(place, packed)
        self.size += len(packed)
        self._note(one)

    def change(self, place: int, one: Reversible) -> None:
        packed = pack_reversible(one)
        self.size += len(packed) - len(self.packed[place])
        self.packed[place] = packed
        self._note(one)

    def remove(self, place: int) -> None:
        self.size -= len(self.packed.pop(place))

    def _note(self, one: Reversible) -> None:
        if one.reversed or one.parts:
            self.taken = frozenset(_taken(self.packed))


def _taken(packed: Iterable[bytes]) -> Iterator[str | None]:
    for each in packed:
        if _TRUE in each or not each.endswith(_NO_PARTS):
            one = unpack_reversible(each)
            if one.reversed or one.parts:
                yield one.data[0]
