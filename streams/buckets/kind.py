"""What every kind of bucket can."""

from typing import Any, Protocol

State = list[Any]
COUNT_BYTES = 5
"""More than a count takes: 32 bits and what it begins with. So does a bucket's index."""
CELLS = 2
"""Where the cells begin in a state."""


class Kind(Protocol):
    """One way to fill a bucket. `i` is the bucket's place in the state's lists, -1 its last."""

    name: str
    lists: int
    """How many lists of cells it keeps."""

    def insert(self, state: State, i: int) -> None:
        """A new bucket's cells, one into each list."""

    def append(self, state: State, value: Any) -> None:
        """A new last bucket that holds a value."""

    def put(self, state: State, i: int, value: Any) -> None: ...

    def take(self, state: State, i: int, value: Any) -> bool:
        """Take a value out again; True when nothing is left in the bucket."""

    def size(self, state: State, i: int) -> int:
        """How many values a bucket has, if it does not know all of them; else 0."""

    def bytes(self, value: int) -> int:
        """More than a bucket's cells take whose values take so many each."""

    def merge(self, state: State, i: int, other: State, j: int) -> None:
        """Put all of a bucket of another state in."""

    def read(self, state: State, low: int, high: int, own: Any) -> Any:
        """The buckets from `low` up to `high`, less one `own` value that is in the last of them."""


class Appending:
    """As any kind can."""

    def append(self: Kind, state: State, value: Any) -> None:
        self.insert(state, len(state[CELLS]))
        self.put(state, -1, value)


class Exact(Appending):
    """Knows all that it was given."""

    def size(self, state: State, i: int) -> int:  # noqa: ARG002  # the protocol's
        return 0
