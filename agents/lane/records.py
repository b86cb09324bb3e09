"""A partition's records as they are now: in the cache, else encoded, in the local store or on
their way there."""

from agents.lane.cache import RecordCache
from agents.lane.store import Store
from schemas.profile import NEVER
from schemas.record import Record, last_broadcast, next_due


class Records:
    """Of one partition."""

    def __init__(self, partition: int, store: Store, cache: RecordCache) -> None:
        self._partition = partition
        self._store = store
        self._cache = cache

    def load(self, customer: str) -> Record:
        """The live record, a new one if there is none."""
        record = self._cache.get(self._partition, customer)
        return record or Record(customer, self._stored(customer))

    def next_due(self, customer: str) -> int:
        """Its earliest timer, without decoding it; NEVER if there is none."""
        record = self._cache.peek(self._partition, customer)
        if record is not None:
            return record.header.next_due
        stored = self._stored(customer)
        return NEVER if stored is None else next_due(stored)

    def last_broadcast(self, customer: str) -> int:
        """The number in its header, without decoding it; NEVER if there is none."""
        record = self._cache.peek(self._partition, customer)
        if record is not None:
            return record.header.last_broadcast
        stored = self._stored(customer)
        return NEVER if stored is None else last_broadcast(stored)

    def _stored(self, customer: str) -> bytes | None:
        unstored = self._cache.unstored(self._partition, customer)
        return self._store.get(customer.encode()) if unstored is None else unstored
