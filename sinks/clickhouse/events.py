"""An event as a row: the envelope, the most analysed fields as columns, the rest as JSON text.

Fields that identify a person are left out, at every depth: in ClickHouse they wait for encryption.
So are fields that vipcare does not know, because nobody has said what they are.
"""

import json
from decimal import Decimal
from functools import cache
from typing import Any

from msgspec import UNSET, Struct

from schemas.decode import BrokenEventError, UnknownTypeError, decode_event
from schemas.envelope import Data, Event
from schemas.fields import sensitive_fields
from sinks.clickhouse.message import Message, Row, Unstorable, millis

FIELDS = (
    "amount",
    "base_amount",
    "currency",
    "direction",
    "account",
    "base_balance",
    "base_principal",
    "card",
    "merchant",
    "category",
    "country",
    "counterparty_country",
    "channel",
    "page",
    "page_topic",
    "journey",
    "product",
    "about",
    "severity",
    "task",
    "outcome",
    "reason",
    "score",
)
"""Fields of data that have a column of the same name; NULL where an event's type has none."""

COLUMNS = (
    "topic",
    "partition",
    "offset",
    "received",
    "type",
    "source",
    "id",
    "customer",
    "time",
    *FIELDS,
    "rest",
)


def event_row(message: Message) -> Row:
    """The row of one message of a keyed input. Raises Unstorable("broken" or "unknown")."""
    try:
        event = decode_event(message.value or b"")
    except UnknownTypeError:
        raise Unstorable("unknown") from None
    except BrokenEventError:
        raise Unstorable("broken") from None
    return (
        message.topic,
        message.partition,
        message.offset,
        message.received,
        event.event_type(),
        event.source,
        event.id,
        event.subject,
        millis(event.time),
        *_fields(event),
        _rest(event.data),
    )


def _fields(event: Event) -> list[object]:
    data = event.data
    return [getattr(data, name, None) for name in FIELDS]


def _rest(data: Data) -> str:
    names = _rest_names(type(data))
    kept = {name: value for name in names if (value := getattr(data, name)) is not UNSET}
    absent_is_unset = _is_patch(type(data))
    told = {
        name: _plain(value) for name, value in kept.items() if value is not None or absent_is_unset
    }
    return json.dumps(told, ensure_ascii=False) if told else "{}"


@cache
def _rest_names(data: type[Data]) -> tuple[str, ...]:
    hidden = sensitive_fields(data)
    return tuple(n for n in data.__struct_fields__ if n not in hidden and n not in FIELDS)


@cache
def _is_patch(data: type[Data]) -> bool:
    """In a patch null removes a field, so it says something."""
    return UNSET in data.__struct_defaults__


def _plain(value: Any) -> Any:
    """A value as JSON holds it, without what identifies a person in structs inside it."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Struct):
        hidden = sensitive_fields(type(value))
        fields = {n: getattr(value, n) for n in value.__struct_fields__ if n not in hidden}
        return {name: _plain(inner) for name, inner in fields.items() if inner is not None}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
