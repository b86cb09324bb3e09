"""Entries of a customer who has so many that memory is not to hold them all decoded."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Generic, TypeVar, overload

from streams.intake import Entry

T = TypeVar("T")


class Late(Sequence[Entry], Generic[T]):
    """In the order of their times. Each is decoded for that, and again when it is looked at."""

    def __init__(self, made_of: Iterable[T], decode: Callable[[T], Entry]) -> None:
        seen = [(*_seen(decode(one)), one) for one in made_of]
        seen.sort(key=itemgetter(0))
        self._decode = decode
        self._made_of = [one for _, _, one in seen]
        self._types = [kind for _, kind, _ in seen]

    def __len__(self) -> int:
        return len(self._made_of)

    def __iter__(self) -> Iterator[Entry]:
        return map(self._decode, self._made_of)

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> list[Entry]: ...
    def __getitem__(self, place: int | slice) -> Entry | list[Entry]:
        if isinstance(place, slice):
            return [*map(self._decode, self._made_of[place])]
        return self._decode(self._made_of[place])

    def of(self, types: Container[str]) -> Iterator[Entry]:
        """Those of some event types."""
        wanted = (number for number, kind in enumerate(self._types) if kind in types)
        return (self[number] for number in wanted)


def place_of(entry: Entry) -> tuple[int, str, int]:
    """Entries are in the order of their times by this; what has none, as it is broken or of an
    unknown type, comes first."""
    raw = entry.raw
    return -1 if entry.input is None else entry.input.at, raw.topic, raw.offset


def _seen(entry: Entry) -> tuple[tuple[int, str, int], str]:
    return place_of(entry), "" if entry.input is None else entry.input.type
