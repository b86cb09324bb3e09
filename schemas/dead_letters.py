"""Dead letters: what could not be applied, kept whole, with its reason and coordinates as headers.

The value is the original bytes. Above 256 KB it is cut, and the headers tell its full length and
SHA-256. A key above 4 KB is cut, too. The content never goes to ClickHouse, a log or a metric.
"""

import hashlib
from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from schemas.place import Place, parse_place

MAX_VALUE_BYTES = 256 * 1024
MAX_KEY_BYTES = 4 * 1024
"""A customer's key has at most 256 bytes; a letter with a megabyte of key would never be taken."""


class Category(StrEnum):
    """Who mends it, and how: several reasons may have one category. README.md has the table."""

    MALFORMED = "malformed"
    """The sender's format: mended where it is sent, or by a version that reads it."""
    MISROUTED = "misrouted"
    """The sender's key or partitioner. A replay sends it under its subject."""
    TIME = "time"
    """The sender's clock, or the bank clock here."""
    CONFLICT = "conflict"
    """The sender uses an id again for something else."""
    REFERENCE = "reference"
    """What the event refers to is not known here: load it, then replay."""
    TOO_LARGE = "too_large"
    """A message or a record would exceed its limit."""
    REFUSED = "refused"
    """The worker applied it, but ClickHouse did not take its row."""
    FAULT = "fault"
    """Ours: a version that mends it, then replay."""


class Reason(StrEnum):
    """Why a message was refused: the closed list."""

    BROKEN = "broken"
    """Not an event: not JSON, a missing field, a wrong type, a value out of range, as told or as
    reckoned in the base currency."""
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
    REFUSED = "refused"
    """ClickHouse refused its row; made by the sink, of a message that was applied."""

    @property
    def category(self) -> Category:
        return CATEGORY_OF[self]


CATEGORY_OF = {
    Reason.BROKEN: Category.MALFORMED,
    Reason.WRONG_KEY: Category.MISROUTED,
    Reason.FUTURE: Category.TIME,
    Reason.CONFLICT: Category.CONFLICT,
    Reason.NO_BASE_AMOUNT: Category.REFERENCE,
    Reason.OVERSIZE: Category.TOO_LARGE,
    Reason.FAILED: Category.FAULT,
    Reason.REFUSED: Category.REFUSED,
}


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
    first: str = ""
    """Of a replayed event that was refused again: where the original of its first letter stands,
    as `TOPIC[PARTITION]@OFFSET`."""

    @property
    def category(self) -> Category:
        return self.reason.category

    @property
    def is_cut(self) -> bool:
        """The value is not the whole original."""
        return self.length > len(self.value)

    @property
    def place(self) -> Place:
        """Where the original stands."""
        return Place(self.topic, self.partition, self.offset)

    def __repr__(self) -> str:
        """Coordinates only: the content may identify a person."""
        return f"DeadLetter({self.reason}, {self.place})"

    def headers(self) -> list[tuple[str, bytes]]:
        """The Kafka headers, in a fixed order, values as UTF-8 text."""
        return [(PREFIX + name, str(getattr(self, name)).encode()) for name in HEADERS]


PREFIX = "vipcare-"
HEADERS = (
    "reason",
    "category",
    "detail",
    "topic",
    "partition",
    "offset",
    "length",
    "sha256",
    "event_type",
    "event_source",
    "event_id",
    "first",
)
_LATER = frozenset(("category", "first"))
"""Letters of earlier versions lack them."""


FIRST_HEADER = PREFIX + "first"
"""Of a replayed message, too: what its letter's `first` will be if it is refused again."""
LETTER_HEADER = PREFIX + "letter"
"""Of a replayed message: the place in vip.dead-letters of the letter that was replayed."""


def replayed_from(headers: Iterable[tuple[str, bytes | None]], name: str) -> Place | None:
    """What a replayed message's header says; None if it has none, or another text."""
    text = next((value for header, value in headers if header == name), None)
    return parse_place(text.decode("ascii", "replace")) if text else None


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
    first: str = "",
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
        first=first,
    )


def parse_dead_letter(
    headers: list[tuple[str, bytes]] | None, key: bytes | None, value: bytes | None
) -> DeadLetter:
    """Read a dead letter back from its message. Raises ValueError for anything else."""
    found = {name.removeprefix(PREFIX): text.decode() for name, text in headers or []}
    missing = [name for name in HEADERS if name not in found and name not in _LATER]
    if missing:
        raise ValueError(f"not a dead letter: header {PREFIX}{missing[0]} is missing")
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
        first=found.get("first", ""),
    )
