"""Decoded records, bounded in bytes; what is not yet in the local store is pinned."""

from collections.abc import Iterable

from schemas.record import Record

Key = tuple[int, str]

DECODED_FACTOR = 6
"""A decoded record takes about so many times its packed size, the packed bytes included (24 KB for
3.9 KB, measured on the simulated bank's after an event: windows and months stay packed)."""
_BASE_BYTES = 2_000


class _Kept:
    __slots__ = ("bytes", "pins", "record")

    def __init__(self, record: Record) -> None:
        self.record = record
        self.bytes = 0
        self.pins = 0


class RecordCache:
    """Least recently used first out, over all partitions of a worker. Sizes are approximate."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self.pinned_bytes = 0
        self.hits = 0
        self.misses = 0
        self._free: dict[Key, _Kept] = {}
        """The least recently used first."""
        self._pinned: dict[Key, _Kept] = {}

    @property
    def crowded(self) -> bool:
        """So much is pinned that no chunk should start."""
        return self.pinned_bytes > self.limit_bytes // 2

    def get(self, partition: int, customer: str) -> Record | None:
        key = partition, customer
        kept = self._pinned.get(key)
        if kept is None:
            kept = self._free.pop(key, None)
            if kept is None:
                self.misses += 1
                return None
            self._free[key] = kept
        self.hits += 1
        return kept.record

    def peek(self, partition: int, customer: str) -> Record | None:
        """A record if it is kept, without its counting as used."""
        key = partition, customer
        kept = self._pinned.get(key) or self._free.get(key)
        return None if kept is None else kept.record

    def put(self, partition: int, record: Record) -> None:
        """Keep a record, or take note that it changed, its size too."""
        key = partition, record.customer
        kept = self._pinned.get(key)
        if kept is None:
            kept = self._free[key] = self._free.pop(key) if key in self._free else _Kept(record)
        kept.record = record
        size = _BASE_BYTES + DECODED_FACTOR * len(record.stored or b"")
        self.bytes += size - kept.bytes
        if kept.pins:
            self.pinned_bytes += size - kept.bytes
        kept.bytes = size

    def pin(self, partition: int, customers: Iterable[str]) -> None:
        """These changed and are not stored yet. Pins are counted: a later chunk adds its own."""
        for customer in customers:
            key = partition, customer
            kept = self._pinned.get(key)
            if kept is None:
                kept = self._pinned[key] = self._free.pop(key)
                self.pinned_bytes += kept.bytes
            kept.pins += 1

    def unpin(self, partition: int, customers: Iterable[str]) -> None:
        for customer in customers:
            key = partition, customer
            kept = self._pinned[key]
            kept.pins -= 1
            if kept.pins == 0:
                self._free[key] = self._pinned.pop(key)
                self.pinned_bytes -= kept.bytes

    def shrink(self) -> None:
        """Let the least recently used go, as far as the limit asks and pins allow."""
        gone: list[Key] = []
        excess = self.bytes - self.limit_bytes
        for key, kept in self._free.items():
            if excess <= 0:
                break
            gone.append(key)
            excess -= kept.bytes
        for key in gone:
            self.bytes -= self._free.pop(key).bytes

    def drop(self, partition: int) -> None:
        """Forget a partition, pinned or not: somebody else may write it from now on."""
        for held in (self._free, self._pinned):
            for key in [key for key in held if key[0] == partition]:
                kept = held.pop(key)
                self.bytes -= kept.bytes
                if kept.pins:
                    self.pinned_bytes -= kept.bytes
