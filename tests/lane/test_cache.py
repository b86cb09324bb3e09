"""The cache against a simple twin: bytes add up, pins hold, the least recently used goes first."""

from hypothesis import given
from hypothesis import strategies as st

from agents.lane.cache import RecordCache
from schemas.record import Record

CUSTOMERS = st.sampled_from("abcde")
LIMIT = 12_000
STEPS = st.one_of(
    st.tuples(st.just("put"), CUSTOMERS, st.integers(0, 1_500)),
    st.tuples(st.just("get"), CUSTOMERS, st.just(0)),
    st.tuples(st.just("pin"), CUSTOMERS, st.just(0)),
    st.tuples(st.just("unpin"), CUSTOMERS, st.just(0)),
    st.tuples(st.just("shrink"), CUSTOMERS, st.just(0)),
)


def record(customer: str, size: int) -> Record:
    made = Record(customer)
    made.stored = b"x" * size
    return made


class Twin:
    """A list in the order of use; sizes are the cache's own formula seen from outside."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, int]] = []
        self.pins: dict[str, int] = {}

    def put(self, customer: str, size: int) -> None:
        self.kept = [pair for pair in self.kept if pair[0] != customer] + [(customer, size)]

    def get(self, customer: str) -> bool:
        for pair in self.kept:
            if pair[0] == customer:
                self.put(*pair)
                return True
        return False

    def bytes(self, *, pinned: bool = False) -> int:
        return sum(
            2_000 + 6 * size for name, size in self.kept if not pinned or self.pins.get(name)
        )

    def shrink(self) -> None:
        for pair in list(self.kept):
            if self.bytes() <= LIMIT:
                return
            if not self.pins.get(pair[0]):
                self.kept.remove(pair)


@given(st.lists(STEPS, max_size=60))
def test_cache_agrees_with_its_twin(steps: list[tuple[str, str, int]]) -> None:
    cache, twin = RecordCache(LIMIT), Twin()
    for what, customer, size in steps:
        here = any(name == customer for name, _ in twin.kept)
        if what == "put":
            cache.put(0, record(customer, size))
            twin.put(customer, size)
        elif what == "get":
            assert (cache.get(0, customer) is not None) == twin.get(customer)
        elif what == "pin" and here:
            cache.pin(0, [customer])
            twin.pins[customer] = twin.pins.get(customer, 0) + 1
        elif what == "unpin" and twin.pins.get(customer):
            cache.unpin(0, [customer])
            twin.pins[customer] -= 1
        elif what == "shrink":
            cache.shrink()
            twin.shrink()
        assert cache.bytes == twin.bytes()
        assert cache.pinned_bytes == twin.bytes(pinned=True)
        assert cache.crowded == (cache.pinned_bytes > LIMIT // 2)


def test_a_partition_is_forgotten_with_its_pins() -> None:
    cache = RecordCache(LIMIT)
    cache.put(0, record("a", 10))
    cache.put(1, record("a", 10))
    cache.pin(0, ["a"])
    cache.drop(0)
    assert cache.get(0, "a") is None
    assert cache.get(1, "a") is not None
    assert cache.pinned_bytes == 0
