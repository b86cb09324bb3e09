"""What all contenders of a workload get: the same messages, rules and records to begin with."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from schemas.rules import RuleDefinition

CALENDAR = Path(__file__).with_name("no_holidays.yaml")
"""Of all: a worker tells every customer of a holiday, which no peer does."""


class Message(NamedTuple):
    topic: str
    key: bytes
    value: bytes


class Workload(NamedTuple):
    name: str
    """`tiny`, `bank` or `library`."""
    messages: Sequence[Message]
    """The backlog."""
    topics: Sequence[str]
    """Those that a peer reads; ours reads all inputs, as ever."""
    rules: Sequence[RuleDefinition]
    customers: int
    records: Sequence[bytes] = ()
    """Encoded records, dealt out to the customers before the first event; none: all are new."""
    customer_ids: Sequence[str] = ()
    """Of those who have a record."""
    cache_bytes: int | None = None
    """For decoded records, of the worker; None is its default."""
    facts: Sequence[Message] = ()
    """Of the global topics, told before the backlog."""
    ends: int | None = None
    """Epoch milliseconds of its last event, where our worker's clock begins: on today's a partition
    that is through would fire all timers due since, which no peer has."""
    cached_records: int = 0
    """The same as a number of records, for a peer that keeps some."""

    def stored(self) -> Iterator[tuple[str, bytes]]:
        """Customer and record, for all who have one."""
        records = self.records
        for number, customer in enumerate(self.customer_ids):
            yield customer, records[number % len(records)]
