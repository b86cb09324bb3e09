"""The cache against a simple twin: bytes add up, pins hold, the least recently used goes first."""

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.lane.cache import RecordCache
from agents.lane.records import Records
from agents.lane.store import Store
from schemas.record import Record

LIMIT = 30_000
WHOSE = st.tuples(st.integers(0, 1), st.sampled_from("abc"))
STEPS = st.one_of(
    st.tuples(st.just("put"), WHOSE, st.integers(0, 1_500)),
    st.tuples(st.just("get"), WHOSE, st.just(0)),
    st.tuples(st.just("pin"), WHOSE, st.integers(0, 8_000)),
    st.tuples(st.just("unpin"), WHOSE, st.just(0)),
    st.tuples(st.just("drop"), WHOSE, st.just(0)),
    st.tuples(st.just("shrink"), WHOSE, st.just(0)),
)

Whose = tuple[int, str]
"""Partition and customer."""


def record(customer: str, size: int) -> Record:
    made = Record(customer)
    made.stored = b"x" * size
    return made


class Twin:
    """Lists in the order of use; sizes are the cache's own formula seen from outside."""

    def __init__(self) -> None:
        self.kept: list[tuple[Whose, int]] = []
        self.pins: list[tuple[Whose, int]] = []
        """Size of what each chunk under way made of whose record, the oldest first."""

    def put(self, whose: Whose, size: int) -> None:
        self.kept = [pair for pair in self.kept if pair[0] != whose] + [(whose, size)]

    def get(self, whose: Whose) -> bool:
        for pair in self.kept:
            if pair[0] == whose:
                self.put(*pair)
                return True
        return False

    def unpin(self, whose: Whose) -> None:
        self.pins.remove(next(pair for pair in self.pins if pair[0] == whose))

    def drop(self, partition: int) -> None:
        self.kept = [pair for pair in self.kept if pair[0][0] != partition]
        self.pins = [pair for pair in self.pins if pair[0][0] != partition]

    @property
    def unstored(self) -> dict[Whose, int]:
        """The newest form of each."""
        return dict(self.pins)

    def bytes_of(self, *partitions: int) -> int:
        return sum(
            8_000 + 4 * size for (partition, _), size in self.kept if partition in partitions
        )

    @property
    def bytes(self) -> int:
        return self.bytes_of(0, 1)

    @property
    def pinned_bytes(self) -> int:
        return sum(self.unstored.values())

    def shrink(self) -> None:
        """Of partitions that keep as much the first one lets go."""
        while self.kept and self.bytes + self.pinned_bytes > LIMIT:
            largest = max((0, 1), key=self.bytes_of)
            self.kept.remove(next(pair for pair in self.kept if pair[0][0] == largest))


@given(st.lists(STEPS, max_size=60))
def test_cache_agrees_with_its_twin(steps: list[tuple[str, Whose, int]]) -> None:
    cache, twin = RecordCache(LIMIT), Twin()
    for partition in (0, 1):  # as they are asked: of those that keep as much the first one lets go
        cache.peek(partition, "a")
    for what, whose, size in steps:
        partition, customer = whose
        if what == "put":
            cache.put(partition, record(customer, size))
            twin.put(whose, size)
        elif what == "get":
            assert (cache.get(*whose) is not None) == twin.get(whose)
        elif what == "pin":
            cache.pin(partition, [record(customer, size)])
            twin.pins.append((whose, size))
        elif what == "unpin" and whose in twin.unstored:
            cache.unpin(partition, [customer])
            twin.unpin(whose)
        elif what == "drop":
            cache.drop(partition)
            twin.drop(partition)
        elif what == "shrink":
            cache.shrink()
            twin.shrink()
        everybody = [(number, one) for number in (0, 1) for one in "abc"]
        kept = {one for one in everybody if cache.peek(*one) is not None}
        assert kept == {one for one, _ in twin.kept}
        unstored = {one: cache.unstored(*one) for one in everybody}
        sizes = {one: len(form) for one, form in unstored.items() if form is not None}
        assert sizes == twin.unstored
        assert cache.bytes == twin.bytes
        assert cache.pinned_bytes == twin.pinned_bytes
        assert cache.crowded == (cache.pinned_bytes > LIMIT // 2)


def test_a_partition_that_has_its_turn_leaves_the_others_what_they_keep() -> None:
    """Four partitions in turn, each with more customers than its share: by the order of use alone,
    what one left would be gone before its next turn."""
    cache = RecordCache(40 * 8_000)
    for _ in range(3):
        for partition in range(4):
            for customer in map(str, range(30)):
                if cache.get(partition, customer) is None:
                    cache.put(partition, record(customer, 0))
            cache.shrink()
    assert cache.bytes == cache.limit_bytes
    assert cache.hits == 2 * 4 * 10


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
    assert (cache.bytes, cache.pinned_bytes) == (8_040, 10)


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
