"""A message as the sink takes it from Kafka, and the values that columns can hold."""

from datetime import datetime
from typing import NamedTuple

from schemas.envelope import to_millis

LATEST = 10_413_791_999_999
"""The last millisecond of 2299: the end of ClickHouse's DateTime64."""
_INT64 = 2**63

Row = tuple[object, ...]
Headers = list[tuple[str, bytes]]


class Message(NamedTuple):
    topic: str
    partition: int
    offset: int
    timestamp: int
    """Kafka's record timestamp, epoch milliseconds; negative or absurd if a producer made it so."""
    value: bytes | None
    headers: Headers
    key: bytes | None = None

    @property
    def received(self) -> int:
        return min(max(self.timestamp, 0), LATEST)


class Unstorable(ValueError):  # noqa: N818  # it says what the message is
    """The message is nothing that a table holds; `why` is the category it is counted under."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def millis(instant: datetime) -> int:
    """An instant as a DateTime64(3) column takes it. Raises Unstorable beyond its range."""
    found = to_millis(instant)
    if not 0 <= found <= LATEST:
        raise Unstorable("broken")
    return found


def integers(*numbers: int) -> tuple[int, ...]:
    """Numbers that Int64 columns hold. Raises Unstorable for others."""
    if any(not -_INT64 <= number < _INT64 for number in numbers):
        raise Unstorable("broken")
    return numbers
