"""What comes into the core: a message as it was read, and what was made of it."""

from msgspec import Struct

from schemas.envelope import Event


class Raw(Struct, frozen=True, gc=False):
    """One message of an input topic, untouched."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


class Input(Struct, frozen=True, gc=False):
    """One event to step, with its place."""

    event: Event
    type: str
    at: int
    """Event time, epoch milliseconds."""
    topic: str
    partition: int
    offset: int
