"""Which customers of a partition have timers due: one entry a customer, in the local store.

An entry is a key of the store, `prefix + due + customer`, so that they are read in the order of
their times. It is written with the records, in the same batch. One that disagrees with its
record's header is stale: restoring does not look for what an entry replaced.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import merge

from agents.lane.store import Change, Store
from schemas.profile import NEVER
from schemas.record import next_due

PREFIX = b"\x00due"
_END = b"\x00duf"

Due = tuple[int, bytes]
"""When (epoch milliseconds), and the customer's key."""


def key_of(due: int, customer: bytes) -> bytes:
    return PREFIX + due.to_bytes(8, "big") + customer


def entries(changes: Iterable[Change]) -> Iterator[Change]:
    """The entries that go with records read back from the changelog."""
    for key, value in changes:
        if value is not None and not key.startswith(b"\x00"):
            due = next_due(value)
            if due != NEVER:
                yield key_of(due, key), b""


def replaced(
    changes: Iterable[Change], stored: Callable[[bytes], bytes | None]
) -> Iterator[Change]:
    """The same, and the removals of what they replace, for a copy that lives for weeks.

    `stored` gives what the copy holds of a key.
    """
    dues: dict[bytes, int] = {}
    for key, value in changes:
        if key.startswith(b"\x00"):
            continue
        before = dues.get(key)
        if before is None:
            old = stored(key)
            before = NEVER if old is None else next_due(old)
        after = dues[key] = NEVER if value is None else next_due(value)
        yield from _move(key, before, after)


def moves(dues: Iterable[tuple[str, tuple[int, int]]]) -> Iterator[Change]:
    """The changes of entries for customers whose earliest timer was the one and is the other."""
    for customer, (before, after) in dues:
        yield from _move(customer.encode(), before, after)


def _move(customer: bytes, before: int, after: int) -> Iterator[Change]:
    if before == after:
        return
    if before != NEVER:
        yield key_of(before, customer), None
    if after != NEVER:
        yield key_of(after, customer), b""


class DueIndex:
    """The store's entries, and beside them those of chunks that are not in the store yet."""

    def __init__(self, store: Store, next_due_of: Callable[[str], int]) -> None:
        self._store = store
        self._next_due_of = next_due_of
        self._unstored: dict[int, list[Due]] = {}
        self._floor = 0
        """No live entry is before this: what was fired leaves tombstones that a scan would walk."""
        self._first: int | None = None
        self._known = False
        self._stale: list[bytes] = []

    def first(self) -> int | None:
        """Not later than the earliest live entry; None if there is none."""
        if not self._known:
            self._first = next((due for due, _ in self._entries()), None)
            self._known = True
        return self._first

    def take(self, until: int, limit: int) -> list[str]:
        """The first customers that are due by `until`, by (due, customer)."""
        first = self.first()
        if first is None or first > until:
            return []
        taken: dict[str, None] = {}
        for due, key in self._entries():
            if due > until or len(taken) == limit:
                self._floor = due
                break
            customer = key.decode()
            if self._next_due_of(customer) == due:
                taken[customer] = None
            else:
                self._stale.append(key_of(due, key))
        else:
            self._floor = until + 1
        self._known = False
        return list(taken)

    def changed(self, chunk: int, dues: Iterable[tuple[str, tuple[int, int]]]) -> None:
        """A chunk, by its number, changed the earliest timers of customers.

        Those that were taken are among them, whatever their earliest timer is now: `take` went
        past their entries, also where one stands at the same time again.
        """
        added = sorted((due, customer.encode()) for customer, (_, due) in dues if due != NEVER)
        if added:
            self._unstored[chunk] = added
            self._floor = min(self._floor, added[0][0])
            self._known = False

    def stale(self) -> list[Change]:
        """The removals of what `take` found stale: to be written before any other change."""
        found, self._stale = self._stale, []
        return [(key, None) for key in found]

    def stored(self, chunk: int) -> None:
        """The chunk's entries are in the store now."""
        self._unstored.pop(chunk, None)

    def _entries(self) -> Iterator[Due]:
        stored = (
            (int.from_bytes(key[4:12], "big"), key[12:])
            for key in self._store.keys(key_of(self._floor, b""), _END)
        )
        return merge(stored, *self._unstored.values())
