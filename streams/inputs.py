"""What comes into the core: a message as it was read, and what was made of it."""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct

from schemas.dead_letters import FIRST_HEADER, replayed_from
from schemas.envelope import Event
from schemas.events import INTERNAL
from schemas.place import Place


class Raw(Struct, frozen=True, gc=False):
    """One message of an input topic, untouched."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    first: Place | None = None
    """Of a replayed dead letter: where the original of its first letter stands."""


def raw_of(
    topic: str,
    partition: int,
    offset: int,
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes | None]],
) -> Raw:
    """A message as it was read; headers count on `vip.internal` alone."""
    first = replayed_from(headers, FIRST_HEADER) if topic == INTERNAL else None
    return Raw(topic, partition, offset, key, value, first)


class Input(Struct, frozen=True, gc=False):
    """One event to step, with its place."""

    event: Event
    type: str
    at: int
    """Event time, epoch milliseconds."""
    topic: str
    partition: int
    offset: int


class Correction(NamedTuple):
    """What became of an event that windows hold."""

    before: Input
    """As it was put into them."""
    after: Input | None
    """As it is now, at the same time; None: it was taken back."""
    era: int
    """The record's when it came."""
