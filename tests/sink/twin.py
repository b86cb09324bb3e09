"""An event as a row, one by one: slow and plain, for sinks/clickhouse/events.py to agree with."""

from decimal import Decimal
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from schemas.decode import BrokenEventError, UnknownTypeError, decode_event
from schemas.fields import sensitive_fields
from sinks.clickhouse.events import FIELDS
from sinks.clickhouse.message import Message, Row, Unstorable, millis


def event_row(message: Message) -> Row:
    """In the order of COLUMNS. Raises Unstorable("broken" or "unknown")."""
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
        *(getattr(event.data, name, None) for name in FIELDS),
        _rest(event.data),
    )


def _rest(data: Struct) -> str:
    is_patch = UNSET in data.__struct_defaults__
    told = {}
    for name in data.__struct_fields__:
        value = getattr(data, name)
        if name in sensitive_fields(type(data)) or name in FIELDS or value is UNSET:
            continue
        if value is not None or is_patch:
            told[name] = _plain(value)
    return msgspec.json.encode(told).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Struct):
        hidden = sensitive_fields(type(value))
        names = (name for name in value.__struct_fields__ if name not in hidden)
        told = {name: getattr(value, name) for name in names}
        return {name: _plain(inner) for name, inner in told.items() if inner is not None}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
