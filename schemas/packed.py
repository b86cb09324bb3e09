"""Values of a section that stay packed until one is asked for."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw

K = TypeVar("K")
T = TypeVar("T")

pack = msgspec.msgpack.Encoder(decimal_format="string").encode
NOTHING = Raw(pack(None))


class Packed(Generic[K, T]):
    """A section's dict of packed values, each unpacked when first asked for.

    What was changed or put stands in the dict as it is only after `close`; until then its key
    holds its place, so that the order of keys does not depend on when that was.
    """

    __slots__ = ("_changed", "_open", "_packed", "_unpack")

    def __init__(self, packed: dict[K, Raw], unpack: Callable[[Any], T]) -> None:
        self._packed = packed
        self._unpack = unpack
        self._open: dict[K, T] = {}
        self._changed: set[K] = set()

    def __contains__(self, key: K) -> bool:
        return key in self._packed

    def __iter__(self) -> Iterator[K]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)

    def get(self, key: K) -> T | None:
        """A value, to read."""
        value = self._open.get(key)
        if value is None and (raw := self._packed.get(key)) is not None:
            value = self._open[key] = self._unpack(raw)
        return value

    def edit(self, key: K) -> T | None:
        """A value, to change in place."""
        value = self._open.get(key)
        if value is None:
            raw = self._packed.get(key)
            if raw is None:
                return None
            value = self._open[key] = self._unpack(raw)
        self._changed.add(key)
        return value

    def put(self, key: K, value: T) -> T:
        """A new value, or one in the place of another."""
        self._packed.setdefault(key, NOTHING)
        self._open[key] = value
        self._changed.add(key)
        return value

    def remove(self, key: K) -> None:
        del self._packed[key]
        self._open.pop(key, None)
        self._changed.discard(key)

    def close(self) -> None:
        """Pack what was changed, and let go of what was unpacked."""
        for key in self._changed:
            self._packed[key] = Raw(pack(self._open[key]))
        self._changed.clear()
        self._open.clear()
