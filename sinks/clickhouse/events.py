"""An event as a row: the envelope, the most analysed fields as columns, the rest as JSON text.

Fields that identify a person are left out, at every depth: in ClickHouse they wait for encryption.
So are fields that vipcare does not know, because nobody has said what they are.
"""

from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Struct

from schemas.decode import BrokenEventError, UnknownTypeError, decode_event
from schemas.envelope import Data
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
    plan = _plan(type(event.data))
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
        *_fields(event.data, plan),
        _rest(event.data, plan),
    )


class _Plan(NamedTuple):
    """Where the fields of a type of data go."""

    columns: tuple[tuple[int, str], ...]
    """Place in FIELDS, and name."""
    rest: tuple[str, ...]
    is_patch: bool
    """In a patch null removes a field, so it says something."""


@cache
def _plan(data: type[Data]) -> _Plan:
    names, hidden = data.__struct_fields__, _hidden(data)
    return _Plan(
        tuple((FIELDS.index(name), name) for name in names if name in FIELDS),
        tuple(name for name in names if name not in hidden and name not in FIELDS),
        UNSET in data.__struct_defaults__,
    )


_hidden = cache(sensitive_fields)
_json = msgspec.json.Encoder().encode


def _fields(data: Data, plan: _Plan) -> list[object]:
    found: list[object] = [None] * len(FIELDS)
    for place, name in plan.columns:
        found[place] = getattr(data, name)
    return found


def _rest(data: Data, plan: _Plan) -> str:
    told = {}
    for name in plan.rest:
        value = getattr(data, name)
        if value is not UNSET and (value is not None or plan.is_patch):
            told[name] = _plain(value)
    return _json(told).decode() if told else "{}"


def _plain(value: Any) -> Any:
    """A value as JSON holds it, without what identifies a person in structs inside it."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Struct):
        names, hidden = value.__struct_fields__, _hidden(type(value))
        told = {name: getattr(value, name) for name in names if name not in hidden}
        return {name: _plain(inner) for name, inner in told.items() if inner is not None}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
