"""Decoded records, bounded in bytes, and the encoded ones that are not in the local store yet."""

from collections.abc import Iterable

from schemas.record import Record

Key = tuple[int, str]

DECODED_FACTOR = 6
"""A decoded record takes about so many times its packed size, the packed bytes included (24 KB for
3.9 KB, measured on the simulated bank's after an event: windows and months stay packed)."""
_BASE_BYTES = 2_000


class _Kept:
    __slots__ = ("bytes", "record")

    def __init__(self, record: Record) -> None:
        self.record = record
        self.bytes = 0


class _Unstored:
    __slots__ = ("pins", "stored")

    def __init__(self) -> None:
        self.pins = 0
        self.stored = b""


class RecordCache:
    """Least recently used first out, over all partitions of a worker. Sizes are approximate.

    A record that a chunk changed may go like any other: until the local store has it, its encoded
    form is pinned here, a sixth of it.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self.pinned_bytes = 0
        self.hits = 0
        self.misses = 0
        self._kept: dict[Key, _Kept] = {}
        """The least recently used first."""
        self._unstored: dict[Key, _Unstored] = {}

    @property
    def crowded(self) -> bool:
        """So much is pinned that no chunk should start."""
        return self.pinned_bytes > self.limit_bytes // 2

    def get(self, partition: int, customer: str) -> Record | None:
        key = partition, customer
        kept = self._kept.pop(key, None)
        if kept is None:
            self.misses += 1
            return None
        self._kept[key] = kept
        self.hits += 1
        return kept.record

    def peek(self, partition: int, customer: str) -> Record | None:
        """A record if it is kept, without its counting as used."""
        kept = self._kept.get((partition, customer))
        return None if kept is None else kept.record

    def unstored(self, partition: int, customer: str) -> bytes | None:
        """A record's newest encoded form if the local store lacks it."""
        pinned = self._unstored.get((partition, customer))
        return None if pinned is None else pinned.stored

    def put(self, partition: int, record: Record) -> None:
        """Keep a record, or take note that it changed, its size too."""
        key = partition, record.customer
        kept = self._kept.pop(key, None) or _Kept(record)
        self._kept[key] = kept
        kept.record = record
        size = _BASE_BYTES + DECODED_FACTOR * len(record.stored or b"")
        self.bytes += size - kept.bytes
        kept.bytes = size

    def pin(self, partition: int, records: Iterable[Record]) -> None:
        """A chunk changed these. Pins are counted: a later chunk adds its own, and its form of the
        record takes the place of the one before."""
        for record in records:
            key = partition, record.customer
            pinned = self._unstored.get(key)
            if pinned is None:
                pinned = self._unstored[key] = _Unstored()
            stored = record.stored or b""
            self.pinned_bytes += len(stored) - len(pinned.stored)
            pinned.stored = stored
            pinned.pins += 1

    def unpin(self, partition: int, customers: Iterable[str]) -> None:
        """A chunk is in the local store."""
        for customer in customers:
            key = partition, customer
            pinned = self._unstored[key]
            pinned.pins -= 1
            if pinned.pins == 0:
                del self._unstored[key]
                self.pinned_bytes -= len(pinned.stored)

    def shrink(self) -> None:
        """Let the least recently used go, until what is pinned has room beside the others."""
        gone: list[Key] = []
        excess = self.bytes + self.pinned_bytes - self.limit_bytes
        for key, kept in self._kept.items():
            if excess <= 0:
                break
            gone.append(key)
            excess -= kept.bytes
        for key in gone:
            self.bytes -= self._kept.pop(key).bytes

    def drop(self, partition: int) -> None:
        """Forget a partition, pinned or not: somebody else may write it from now on."""
        for key in [key for key in self._kept if key[0] == partition]:
            self.bytes -= self._kept.pop(key).bytes
        for key in [key for key in self._unstored if key[0] == partition]:
            self.pinned_bytes -= len(self._unstored.pop(key).stored)
