"""Values of a section that stay packed until one is asked for."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw

K = TypeVar("K")
T = TypeVar("T")

pack = msgspec.msgpack.Encoder(decimal_format="string").encode
NOTHING = Raw(pack(None))
UNASKED: Any = object()
"""In place of a value that was not asked for yet."""


class Packed(Generic[K, T]):
    """A section's dict of packed values, each unpacked when first asked for.

    What was changed or put stands in the dict as it is only after `write`; until then its key
    holds its place, so that the order of keys does not depend on when that was.
    """

    __slots__ = ("_packed", "_unpack", "edited", "read")

    def __init__(self, packed: dict[K, Raw], unpack: Callable[[Any], T]) -> None:
        self._packed = packed
        self._unpack = unpack
        self.read: dict[K, T | None] = {}
        """What is unpacked, and None of what was asked for and is not there. Looked at first by
        whoever is in a hurry, to read."""
        self.edited: dict[K, T] = {}
        """What of it was changed or put since it was packed last. Likewise, to change."""

    def __contains__(self, key: K) -> bool:
        return key in self._packed

    def __iter__(self) -> Iterator[K]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)

    def get(self, key: K) -> T | None:
        """A value, to read."""
        value = self.read.get(key)
        if value is None:
            raw = self._packed.get(key)
            value = self.read[key] = None if raw is None else self._unpack(raw)
        return value

    def edit(self, key: K) -> T | None:
        """A value, to change in place."""
        value = self.edited.get(key)
        if value is None and (value := self.get(key)) is not None:
            self.edited[key] = value
        return value

    def put(self, key: K, value: T) -> T:
        """A new value, or one in the place of another."""
        self._packed.setdefault(key, NOTHING)
        self.read[key] = self.edited[key] = value
        return value

    def remove(self, key: K) -> None:
        del self._packed[key]
        self.read.pop(key, None)
        self.edited.pop(key, None)

    def write(self) -> None:
        """Pack what was changed. It stays unpacked, too."""
        for key, value in self.edited.items():
            self._packed[key] = Raw(pack(value))
        self.edited.clear()
