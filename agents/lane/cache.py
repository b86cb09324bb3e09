"""Decoded records, bounded in bytes, and the encoded ones that are not in the local store yet."""

from collections import defaultdict
from collections.abc import Iterable
from operator import attrgetter

from schemas.record import Record

_DECODED_FACTOR = 4
"""A decoded record takes about so many times its packed size, the packed bytes included, and the
base beside it (22 KB for 3.3 KB, 30 for 5.2, 53 for 12.3, measured after the simulated bank's
events: windows and months, of which a busy customer has more, stay packed)."""
_BASE_BYTES = 8_000


class _Kept:
    __slots__ = ("bytes", "record")

    def __init__(self, record: Record) -> None:
        self.record = record
        self.bytes = _BASE_BYTES + _DECODED_FACTOR * len(record.stored or b"")


class _Unstored:
    __slots__ = ("pins", "stored")

    def __init__(self) -> None:
        self.pins = 0
        self.stored = b""


class _Share:
    """What is held of one partition, by customer."""

    __slots__ = ("bytes", "kept", "unstored")

    def __init__(self) -> None:
        self.kept: dict[str, _Kept] = {}
        """The least recently used first."""
        self.bytes = 0
        """What those take."""
        self.unstored: dict[str, _Unstored] = {}


class RecordCache:
    """Of a worker. Whichever partition keeps most lets the least recently used go first: while the
    worker is behind its partitions take turns, and what one leaves is to be there at its next.

    A record that a chunk changed may go like any other: until the local store has it, its encoded
    form is pinned here, a sixth of it. Sizes are approximate.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self.pinned_bytes = 0
        self.hits = 0
        self.misses = 0
        self._shares: defaultdict[int, _Share] = defaultdict(_Share)

    @property
    def crowded(self) -> bool:
        """So much is pinned that no chunk should start."""
        return self.pinned_bytes > self.limit_bytes // 2

    def get(self, partition: int, customer: str) -> Record | None:
        held = self._shares[partition].kept
        kept = held.pop(customer, None)
        if kept is None:
            self.misses += 1
            return None
        held[customer] = kept
        self.hits += 1
        return kept.record

    def peek(self, partition: int, customer: str) -> Record | None:
        """A record if it is kept, without its counting as used."""
        kept = self._shares[partition].kept.get(customer)
        return None if kept is None else kept.record

    def unstored(self, partition: int, customer: str) -> bytes | None:
        """A record's newest encoded form if the local store lacks it."""
        pinned = self._shares[partition].unstored.get(customer)
        return None if pinned is None else pinned.stored

    def put(self, partition: int, record: Record) -> None:
        """Keep a record, or take note that it changed, its size too."""
        share = self._shares[partition]
        before = share.kept.pop(record.customer, None)
        after = share.kept[record.customer] = _Kept(record)
        more = after.bytes - (0 if before is None else before.bytes)
        share.bytes += more
        self.bytes += more

    def pin(self, partition: int, records: Iterable[Record]) -> None:
        """A chunk changed these. Pins are counted: a later chunk adds its own, and its form of the
        record takes the place of the one before."""
        held = self._shares[partition].unstored
        for record in records:
            pinned = held.get(record.customer)
            if pinned is None:
                pinned = held[record.customer] = _Unstored()
            stored = record.stored or b""
            self.pinned_bytes += len(stored) - len(pinned.stored)
            pinned.stored = stored
            pinned.pins += 1

    def unpin(self, partition: int, customers: Iterable[str]) -> None:
        """A chunk is in the local store."""
        held = self._shares[partition].unstored
        for customer in customers:
            pinned = held[customer]
            pinned.pins -= 1
            if pinned.pins == 0:
                del held[customer]
                self.pinned_bytes -= len(pinned.stored)

    def shrink(self) -> None:
        """Let records go, until what is pinned has room beside those that are left."""
        while self.bytes and self.bytes + self.pinned_bytes > self.limit_bytes:
            largest = max(self._shares.values(), key=_bytes_of)
            gone = largest.kept.pop(next(iter(largest.kept)))
            largest.bytes -= gone.bytes
            self.bytes -= gone.bytes

    def drop(self, partition: int) -> None:
        """Forget a partition, pinned or not: somebody else may write it from now on."""
        share, self._shares[partition] = self._shares[partition], _Share()
        self.bytes -= share.bytes
        self.pinned_bytes -= sum(len(pinned.stored) for pinned in share.unstored.values())


_bytes_of = attrgetter("bytes")
