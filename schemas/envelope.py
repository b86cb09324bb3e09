"""The CloudEvents 1.0 envelope around every event, and the base of every event's data.

Source: CloudEvents 1.0, structured JSON mode. `subject` is the customer and the Kafka key.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta

from schemas.fields import (
    COLUMN_DIGITS,
    Instant,
    check_currency,
    check_day,
    check_decimal,
    currency_fields,
    day_fields,
    decimal_fields,
    is_ordinary,
)

VIPCARE = "/vipcare"
"""The source of what vipcare itself tells."""
_NO_BLANKS = r"^[^\s\x00-\x20\x7f]{1,64}\Z"
CustomerId = Annotated[str, Meta(pattern=_NO_BLANKS)]
Subject = Annotated[str, Meta(extra_json_schema={"pattern": _NO_BLANKS})]
"""A CustomerId whose pattern `is_customer_id` checks: a regular expression inside the decoder
costs as much as a quarter of an event."""
EventId = Annotated[str, Meta(min_length=1, max_length=200)]


_Check = Callable[[str, Any], None]


@cache
def _checked(struct: type[msgspec.Struct]) -> tuple[tuple[str, int, _Check | None], ...]:
    """The decimal fields, each with its decimals; then currencies and days, with their checks."""
    return (
        *((name, decimals, None) for name, decimals in decimal_fields(struct)),
        *((name, 0, check_currency) for name in currency_fields(struct)),
        *((name, 0, check_day) for name in day_fields(struct)),
    )


class Data(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """An event's own fields. Unknown fields are let through, so that a bank may add some."""

    def __post_init__(self) -> None:
        for name, decimals, check in _checked(type(self)):
            value = getattr(self, name)
            if value is None or value is UNSET:
                continue
            if check is not None:
                check(name, value)
            elif not is_ordinary(value):
                check_decimal(name, value, decimals, COLUMN_DIGITS - decimals)

    def __repr__(self) -> str:
        """Fields may identify a person, so none is shown."""
        return f"{type(self).__name__}(…)"


class TakesBack(NamedTuple):
    """Which events an event takes back: those of these types whose names are the same."""

    types: tuple[str, ...]
    named_by: tuple[str, ...]
    """Fields, of both."""
    in_parts: bool
    """With a smaller amount it takes back a part of those up to its own time; else, whatever the
    order of their times, the whole."""


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="type"):
    """One event as it arrives: who (`subject`), when (`time`, an instant), what (`data`).

    The pair (`source`, `id`) names an event once and for all; a second one is a duplicate.
    """

    topic: ClassVar[str]
    """The canonical topic of this type."""
    takes_back: ClassVar[TakesBack | None] = None

    specversion: Literal["1.0"]
    id: EventId
    source: EventId
    subject: Subject
    time: Instant
    data: Data
    datacontenttype: Literal["application/json"] = "application/json"

    @classmethod
    def event_type(cls) -> str:
        """The CloudEvents `type` of this class, such as `transfer.completed`."""
        tag = cls.__struct_config__.tag
        assert isinstance(tag, str)
        return tag

    def __repr__(self) -> str:
        """Coordinates only: the data may identify a person."""
        return f"{type(self).__name__}(source={self.source!r}, id={self.id!r})"


def is_customer_id(subject: str) -> bool:
    """Whether a Subject is a CustomerId too. Letters and digits, which nearly all are, and ASCII
    are looked at cheaply."""
    if subject.isalnum():
        return len(subject) <= 64
    if subject.isascii():
        return 0 < len(subject) <= 64 and subject.isprintable() and " " not in subject
    return _CUSTOMER_ID.match(subject) is not None


def to_millis(instant: datetime) -> int:
    """An aware instant as epoch milliseconds, rounded down, without a float in between."""
    since = instant - _EPOCH
    # Dividing by a duration would be shorter, and takes twice as long.
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000


def all_to_millis(instants: Iterable[datetime]) -> list[int]:
    """`to_millis` of many, without a call for each."""
    return [
        since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000
        for since in [instant - _EPOCH for instant in instants]
    ]


def from_millis(millis: int) -> datetime:
    """Epoch milliseconds as an instant, without a float in between."""
    return _EPOCH + _MILLISECOND * millis


_CUSTOMER_ID = re.compile(_NO_BLANKS)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
