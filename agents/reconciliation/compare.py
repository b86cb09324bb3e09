"""Compare what several readers found, id by id and field by field. Pure: no I/O.

One reader's finds are the reference, kept encoded in a book. Every other reader's finds pass by,
one at a time; what is left over in the book is missing there. Differences are lines that name
ids and fields, and show no values: those may identify a person.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

T = TypeVar("T")

SHOWN = 20
"""So many differences are told; the rest is counted."""


@dataclass(slots=True)
class Differences:
    """A bounded list of lines, and how many there were."""

    lines: list[str] = field(default_factory=list)
    total: int = 0

    def add(self, line: str) -> None:
        self.total += 1
        if len(self.lines) < SHOWN:
            self.lines.append(line)

    def told(self) -> list[str]:
        """The lines; a last one says what was left out."""
        left_out = self.total - len(self.lines)
        return [*self.lines, f"and {left_out} more"] if left_out else list(self.lines)


class Codec(NamedTuple, Generic[T]):
    """How a thing is kept: `unpack(pack(thing))` is what it is compared as."""

    pack: Callable[[T], bytes]
    unpack: Callable[[bytes], T]


class Book(Generic[T]):
    """What the reference reader found, by id."""

    def __init__(self, kind: str, codec: Codec[T], differences: Differences) -> None:
        self.kind = kind
        self.codec = codec
        self.differences = differences
        self.entries: dict[str, bytes] = {}

    def add(self, name: str, thing: T) -> None:
        if name in self.entries:
            self.differences.add(f"{self.kind} {name} stands in its topic more than once")
        else:
            self.entries[name] = self.codec.pack(thing)


class Comparison(Generic[T]):
    """One other reader's finds against a book."""

    def __init__(self, book: Book[T], reader: str) -> None:
        self._book = book
        self._reader = reader
        self._seen: set[str] = set()

    def see(self, name: str, thing: T) -> None:
        book = self._book
        kept = book.entries.get(name)
        if name in self._seen:
            self._tell(name, f"{self._reader} has it more than once")
            return
        self._seen.add(name)
        if kept is None:
            self._tell(name, f"{self._reader} has it, its topic has not")
            return
        packed = book.codec.pack(thing)
        if packed != kept and (fields := self._differing(kept, packed)):
            self._tell(name, f"{self._reader} and its topic differ in {fields}")

    def _differing(self, kept: bytes, packed: bytes) -> str:
        codec = self._book.codec
        try:
            one, other = codec.unpack(kept), codec.unpack(packed)
        except msgspec.MsgspecError:
            return "a value that is not allowed"
        if one == other:  # of a store, most are: mappings come in another order
            return ""
        return ", ".join(differing(one, other))

    def finish(self) -> None:
        """Everything was seen: what of the book was not is missing."""
        for name in self._book.entries.keys() - self._seen:
            self._tell(name, f"{self._reader} has not got it, its topic has")

    def _tell(self, name: str, what: str) -> None:
        self._book.differences.add(f"{self._book.kind} {name}: {what}")


def differing(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """The paths of the fields in which two values differ, such as `data.values.total`.

    Numbers are equal by value, instants by the instant they name, mappings whatever their order.
    """
    if isinstance(one, msgspec.Struct) and type(one) is type(other):
        for name in one.__struct_fields__:
            yield from differing(getattr(one, name), getattr(other, name), _join(path, name))
    elif isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other}, key=str):
            here = _join(path, str(key))
            if key in one and key in other:
                yield from differing(one[key], other[key], here)
            else:
                yield here
    elif one != other:
        yield path or "its type"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
