"""The cache against a simple twin: bytes add up, pins hold, the least recently used goes first."""

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.lane.cache import RecordCache
from agents.lane.records import Records
from agents.lane.store import Store
from schemas.record import Record

CUSTOMERS = st.sampled_from("abcde")
LIMIT = 12_000
STEPS = st.one_of(
    st.tuples(st.just("put"), CUSTOMERS, st.integers(0, 1_500)),
    st.tuples(st.just("get"), CUSTOMERS, st.just(0)),
    st.tuples(st.just("pin"), CUSTOMERS, st.integers(0, 3_000)),
    st.tuples(st.just("unpin"), CUSTOMERS, st.just(0)),
    st.tuples(st.just("shrink"), CUSTOMERS, st.just(0)),
)


def record(customer: str, size: int) -> Record:
    made = Record(customer)
    made.stored = b"x" * size
    return made


class Twin:
    """Lists in the order of use; sizes are the cache's own formula seen from outside."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, int]] = []
        self.pins: list[tuple[str, int]] = []
        """Customer and size of what each chunk under way made of it, the oldest first."""

    def put(self, customer: str, size: int) -> None:
        self.kept = [pair for pair in self.kept if pair[0] != customer] + [(customer, size)]

    def get(self, customer: str) -> bool:
        for pair in self.kept:
            if pair[0] == customer:
                self.put(*pair)
                return True
        return False

    def unpin(self, customer: str) -> None:
        self.pins.remove(next(pair for pair in self.pins if pair[0] == customer))

    @property
    def unstored(self) -> dict[str, int]:
        """The newest form of each."""
        return dict(self.pins)

    @property
    def bytes(self) -> int:
        return sum(2_000 + 6 * size for _, size in self.kept)

    @property
    def pinned_bytes(self) -> int:
        return sum(self.unstored.values())

    def shrink(self) -> None:
        while self.kept and self.bytes + self.pinned_bytes > LIMIT:
            self.kept.pop(0)


@given(st.lists(STEPS, max_size=60))
def test_cache_agrees_with_its_twin(steps: list[tuple[str, str, int]]) -> None:
    cache, twin = RecordCache(LIMIT), Twin()
    for what, customer, size in steps:
        if what == "put":
            cache.put(0, record(customer, size))
            twin.put(customer, size)
        elif what == "get":
            assert (cache.get(0, customer) is not None) == twin.get(customer)
        elif what == "pin":
            cache.pin(0, [record(customer, size)])
            twin.pins.append((customer, size))
        elif what == "unpin" and customer in twin.unstored:
            cache.unpin(0, [customer])
            twin.unpin(customer)
        elif what == "shrink":
            cache.shrink()
            twin.shrink()
        unstored = {one: cache.unstored(0, one) for one in "abcde"}
        assert {one: len(form) for one, form in unstored.items() if form is not None} == (
            twin.unstored
        )
        assert cache.bytes == twin.bytes
        assert cache.pinned_bytes == twin.pinned_bytes
        assert cache.crowded == (cache.pinned_bytes > LIMIT // 2)


def test_a_partition_is_forgotten_with_its_pins() -> None:
    cache = RecordCache(LIMIT)
    for partition in (0, 1):
        cache.put(partition, record("a", 10))
        cache.pin(partition, [record("a", 10)])
    cache.drop(0)
    assert cache.get(0, "a") is None
    assert cache.unstored(0, "a") is None
    assert cache.get(1, "a") is not None
    assert cache.unstored(1, "a") == b"x" * 10
    assert (cache.bytes, cache.pinned_bytes) == (2_060, 10)


@pytest.mark.parametrize("kept", [True, False])
def test_the_newest_form_is_found_wherever_it_is(kept: bool) -> None:
    """What the local store holds is older than what a chunk under way makes of it."""
    cache, store = RecordCache(LIMIT), {b"a": Record("a").encode()}
    records = Records(0, cast(Store, store), cache)
    changed = records.load("a")
    changed.header.next_due, changed.header.last_broadcast = 7, 3
    changed.store()
    if kept:
        cache.put(0, changed)
    cache.pin(0, [changed])
    assert (records.next_due("a"), records.last_broadcast("a")) == (7, 3)
    assert records.load("a").header == changed.header
    store[b"a"] = changed.stored or b""
    cache.unpin(0, ["a"])
    assert (records.next_due("a"), records.load("a").header.last_broadcast) == (7, 3)
