"""The due index on a real local store, held to the plain list that the oracle uses."""

from pathlib import Path
from random import Random

import pytest

from agents.lane.due import PREFIX, DueIndex, entries, moves
from agents.lane.store import Store, Stores
from schemas.profile import NEVER
from schemas.record import Record
from streams.due import DueList

CUSTOMERS = [f"C{n}" for n in range(12)]


class Partition:
    """The index as a runner uses it: chunks are in the store some time after they were stepped."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.dues: dict[str, int] = {}
        self.index = DueIndex(store, self._next_due_of)
        self.in_flight: list[tuple[int, list[tuple[bytes, bytes | None]]]] = []
        self.chunk = 0

    def _next_due_of(self, customer: str) -> int:
        return self.dues.get(customer, NEVER)

    def step(self, changed: dict[str, int]) -> None:
        self.chunk += 1
        dues = {c: (self._next_due_of(c), due) for c, due in changed.items()}
        self.dues |= changed
        self.index.changed(self.chunk, dues.items())
        self.in_flight.append((self.chunk, [*self.index.stale(), *moves(dues.items())]))

    def commit(self) -> None:
        if self.in_flight:
            chunk, changes = self.in_flight.pop(0)
            self.store.write(changes, "id", chunk)
            self.index.stored(chunk)

    def restart(self) -> None:
        while self.in_flight:
            self.commit()
        self.index = DueIndex(self.store, self._next_due_of)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_due_is_what_the_oracle_takes(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    stores = Stores(tmp_path)
    partition, twin, now = Partition(stores.open(0)), DueList(), 0
    for _ in range(150):
        match random.randrange(6):
            case 0 | 1:
                some = random.sample(CUSTOMERS, random.randint(1, 4))
                changed = {c: random.choice([NEVER, now + random.randint(0, 30)]) for c in some}
                partition.step(changed)
                for customer, due in changed.items():
                    twin.change(customer, due)
            case 2 | 3:
                now, limit = now + random.randint(0, 5), random.choice([1, 2, 100])
                taken = partition.index.take(now, limit)
                assert taken == twin.take(now, limit)
                if taken:  # firing changes them; an event behind it may ask for the same time again
                    after = {c: random.choice([NEVER, partition.dues[c]]) for c in taken}
                    partition.step(after)
                    for customer, due in after.items():
                        twin.change(customer, due)
            case 4:
                partition.commit()
            case _:
                if random.random() < 0.2:
                    partition.restart()
        assert len(partition.in_flight) < 100
        first = partition.index.first()
        waiting = [due for due in partition.dues.values() if due != NEVER]
        assert not waiting or (first is not None and first <= min(waiting))
    stores.close()


def test_entries_are_rebuilt_from_headers_and_stale_ones_are_removed(tmp_path: Path) -> None:
    stores = Stores(tmp_path)
    store = stores.open(0)
    older, newer, without = Record("C1"), Record("C1"), Record("C2")
    older.header.next_due, newer.header.next_due = 5, 9
    records = {b"C1": newer.encode(), b"C2": without.encode()}
    for changes in ([(b"C1", older.encode())], [*records.items()], [(b"\x00position", b"{}")]):
        store.write([*changes, *entries(changes)], "id", 1)
    index = DueIndex(store, lambda _: 9)
    assert index.take(8, 10) == []
    store.write(index.stale(), "id", 2)
    assert [key[4:12] for key in store.keys(PREFIX, b"\x00duf")] == [(9).to_bytes(8, "big")]
    assert index.take(9, 10) == ["C1"]
    stores.close()
