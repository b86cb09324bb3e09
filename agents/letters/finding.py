"""Which dead letters are meant, and reading them from their topic."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property

from agents.reading import Found, partitions_of, read_partition
from config.wires import KafkaSettings
from schemas.dead_letters import Category, DeadLetter, Reason, parse_dead_letter
from schemas.decode import subject_of
from schemas.envelope import is_customer_id
from schemas.place import Place

TOPIC = "vip.dead-letters"


@dataclass(frozen=True)
class Kept:
    """One dead letter where it stands."""

    at: Place
    """In `vip.dead-letters`."""
    received: int
    """When it was refused, real time, epoch milliseconds."""
    letter: DeadLetter

    @cached_property
    def customer(self) -> str:
        """The event's subject, or the key where none can be read; empty if neither is an id."""
        named = subject_of(self.letter.value)
        if named is None:
            named = (self.letter.key or b"").decode("utf-8", "replace")
        return named if is_customer_id(named) else ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a letter must be to be meant; a field that is not set asks for nothing."""

    topic: str | None = None
    """Of the original."""
    category: Category | None = None
    reason: Reason | None = None
    customer: str | None = None
    since: int | None = None
    """Refused at or after it; real time, epoch milliseconds."""
    places: frozenset[Place] | None = None
    """Each of an original, or of a letter in `vip.dead-letters`."""

    @property
    def is_all(self) -> bool:
        return all(getattr(self, field.name) is None for field in fields(self))

    def means(self, kept: Kept) -> bool:
        letter = kept.letter
        return (
            self.topic in (None, letter.topic)
            and self.category in (None, letter.category)
            and self.reason in (None, letter.reason)
            and (self.since is None or kept.received >= self.since)
            and (self.places is None or not self.places.isdisjoint((kept.at, letter.place)))
            and self.customer in (None, kept.customer)
        )


def find(
    kafka: KafkaSettings, choice: Choice, stray: Callable[[str], None] = lambda _: None
) -> Iterator[Kept]:
    """The letters that are meant, in the order in which they were refused.

    `stray` hears of messages that are no letters. Raises ReadingError.
    """
    partitions = range(partitions_of(kafka, TOPIC))
    each = [_ordered(read_partition(kafka, TOPIC, partition)) for partition in partitions]
    for _, found in heapq.merge(*each, key=lambda one: (one[0], one[1].partition, one[1].offset)):
        try:
            letter = parse_dead_letter(found.headers, found.key, found.value)
        except ValueError as error:
            stray(f"{found.place} is skipped: {error}")
            continue
        kept = Kept(found.place, found.timestamp, letter)
        if choice.means(kept):
            yield kept


def _ordered(messages: Iterable[Found]) -> Iterator[tuple[int, Found]]:
    """Behind the running maximum of their times: the order within a partition is that of offsets,
    and no clock of a broker or producer changes it."""
    latest = 0
    for found in messages:
        latest = max(latest, found.timestamp)
        yield latest, found
