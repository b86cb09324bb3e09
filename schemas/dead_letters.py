"""Dead letters: what could not be applied, kept whole, with its reason and coordinates as headers.

The value is the original bytes. Above 256 KB it is cut, and the headers tell its full length and
SHA-256. A key above 4 KB is cut, too. The content never goes to ClickHouse, a log or a metric.
"""

import hashlib
from enum import StrEnum

from msgspec import Struct

MAX_VALUE_BYTES = 256 * 1024
MAX_KEY_BYTES = 4 * 1024
"""A customer's key has at most 256 bytes; a letter with a megabyte of key would never be taken."""


class Reason(StrEnum):
    """Why an event was not applied: the closed list of categories."""

    BROKEN = "broken"
    """Not an event: not JSON, a missing field, a wrong type, a value out of range."""
    WRONG_KEY = "wrong_key"
    """The Kafka key is not the event's subject, or belongs to another partition."""
    FUTURE = "future"
    """Dated ahead of the bank clock by more than the tolerance."""
    CONFLICT = "conflict"
    """A second event of the same source and id with other content."""
    NO_BASE_AMOUNT = "no_base_amount"
    """Without an amount in the base currency, and `bank.reference` has no rate to reckon it by."""
    OVERSIZE = "oversize"
    """It would make a message or a record beyond the limit."""
    FAILED = "failed"
    """Folding it raised an error: a fault of ours."""


class DeadLetter(Struct, frozen=True, kw_only=True, gc=False):
    """One dead letter. `topic`, `partition`, `offset` are where the original stands."""

    reason: Reason
    detail: str
    """What is wrong and where, without any value."""
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    length: int
    sha256: str
    event_type: str = ""
    event_source: str = ""
    event_id: str = ""

    def __repr__(self) -> str:
        """Coordinates only: the content may identify a person."""
        return f"DeadLetter({self.reason}, {self.topic}[{self.partition}]@{self.offset})"

    def headers(self) -> list[tuple[str, bytes]]:
        """The Kafka headers, in a fixed order, values as UTF-8 text."""
        return [(f"vipcare-{name}", str(getattr(self, name)).encode()) for name in HEADERS]


HEADERS = (
    "reason",
    "detail",
    "topic",
    "partition",
    "offset",
    "length",
    "sha256",
    "event_type",
    "event_source",
    "event_id",
)


def dead_letter(  # one argument for each thing that is known of the original
    reason: Reason,
    detail: str,
    *,
    topic: str,
    partition: int,
    offset: int,
    key: bytes | None,
    value: bytes | None,
    event_type: str = "",
    event_source: str = "",
    event_id: str = "",
) -> DeadLetter:
    """Make a dead letter of an original message; a missing value counts as an empty one."""
    whole = value or b""
    return DeadLetter(
        reason=reason,
        detail=detail,
        topic=topic,
        partition=partition,
        offset=offset,
        key=None if key is None else key[:MAX_KEY_BYTES],
        value=whole[:MAX_VALUE_BYTES],
        length=len(whole),
        sha256=hashlib.sha256(whole).hexdigest(),
        event_type=event_type,
        event_source=event_source,
        event_id=event_id,
    )


def parse_dead_letter(
    headers: list[tuple[str, bytes]] | None, key: bytes | None, value: bytes | None
) -> DeadLetter:
    """Read a dead letter back from its message. Raises ValueError for anything else."""
    found = {name.removeprefix("vipcare-"): text.decode() for name, text in headers or []}
    missing = [name for name in HEADERS if name not in found]
    if missing:
        raise ValueError(f"not a dead letter: header vipcare-{missing[0]} is missing")
    return DeadLetter(
        reason=Reason(found["reason"]),
        detail=found["detail"],
        topic=found["topic"],
        partition=int(found["partition"]),
        offset=int(found["offset"]),
        key=key,
        value=value or b"",
        length=int(found["length"]),
        sha256=found["sha256"],
        event_type=found["event_type"],
        event_source=found["event_source"],
        event_id=found["event_id"],
    )
