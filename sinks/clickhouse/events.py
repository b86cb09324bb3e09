"""Events as columns: the envelope, the most analysed fields each as one, the rest as JSON text.

Fields that identify a person are left out, at every depth: in ClickHouse they wait for encryption.
So are fields that vipcare does not know, because nobody has said what they are.

Columns are made for all events of a type at a time, so that an event costs what its own few fields
cost, not what the table's thirty columns would.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Struct

from schemas.decode import BrokenEventError, UnknownTypeError, decode_event
from schemas.envelope import Data, Event, to_millis
from schemas.fields import sensitive_fields
from sinks.clickhouse.message import LATEST, Message
from sinks.clickhouse.rows import Column, Rows

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


_envelope = attrgetter("source", "id", "subject", "data")


class _Group:
    """Messages of one type of event, with what was decoded of them."""

    def __init__(self, event: type[Event]) -> None:
        self.type = event
        self.messages: list[Message] = []
        self.events: list[Event] = []
        self.times: Column = []

    def columns(self) -> list[Column]:
        """In the order of COLUMNS."""
        topics, partitions, offsets, timestamps, *_ = zip(*self.messages, strict=True)
        sources, ids, customers, data = zip(*map(_envelope, self.events), strict=True)
        kind: type[Data] = type(data[0])
        plan, size = _plan(kind), len(data)
        absent: Column = [None] * size
        return [
            [*topics],
            [*partitions],
            [*offsets],
            _received(timestamps, self.messages),
            [self.type.event_type()] * size,
            [*sources],
            [*ids],
            [*customers],
            self.times,
            *(absent if get is None else [*map(get, data)] for get in plan.columns),
            _rests(data, plan),
        ]


def event_rows(messages: Sequence[Message]) -> Rows:
    """Messages of keyed inputs as rows, in another order; what is no event of a known type, or of
    no time that a column holds, is counted as "broken" or "unknown"."""
    groups: dict[type[Event], _Group] = {}
    skipped: Counter[tuple[str, str]] = Counter()
    for message in messages:
        try:
            event = decode_event(message.value or b"")
        except UnknownTypeError:
            skipped[message.topic, "unknown"] += 1
            continue
        except BrokenEventError:
            skipped[message.topic, "broken"] += 1
            continue
        time = to_millis(event.time)
        if not 0 <= time <= LATEST:
            skipped[message.topic, "broken"] += 1
            continue
        kind = type(event)
        group = groups.get(kind)
        if group is None:
            group = groups[kind] = _Group(kind)
        group.messages.append(message)
        group.events.append(event)
        group.times.append(time)
    columns: list[Column] = [[] for _ in COLUMNS]
    kept: list[Message] = []
    for group in groups.values():
        kept += group.messages
        for column, found in zip(columns, group.columns(), strict=True):
            column.extend(found)
    return Rows(columns, kept, skipped)


def _received(timestamps: Sequence[int], messages: Sequence[Message]) -> Column:
    if min(timestamps) >= 0 and max(timestamps) <= LATEST:  # nearly always
        return [*timestamps]
    return [message.received for message in messages]


class _Plan(NamedTuple):
    """Where the fields of a type of data go."""

    columns: tuple[Callable[[Data], object] | None, ...]
    """How to get each of FIELDS; None where the type has no such field."""
    rest: tuple[str, ...]
    is_patch: bool
    """In a patch null removes a field, so it says something."""


@cache
def _plan(data: type[Data]) -> _Plan:
    names, hidden = data.__struct_fields__, _hidden(data)
    return _Plan(
        tuple(attrgetter(name) if name in names else None for name in FIELDS),
        tuple(name for name in names if name not in hidden and name not in FIELDS),
        UNSET in data.__struct_defaults__,
    )


_hidden = cache(sensitive_fields)
_json = msgspec.json.Encoder().encode
_SIMPLE = frozenset((str, int, bool, type(None)))


def _rests(data: Sequence[Data], plan: _Plan) -> Column:
    """For each its fields without a column, as JSON text; what is not told is left out."""
    if not plan.rest:
        return ["{}"] * len(data)
    names, nothing = plan.rest, (UNSET if plan.is_patch else None)
    found: Column = []
    for one in data:
        told: dict[str, object] = {}
        for name in names:
            value = getattr(one, name)
            if value is not nothing and value is not UNSET:
                told[name] = value if type(value) in _SIMPLE else _plain(value)
        found.append(_json(told).decode() if told else "{}")
    return found


def public_json(data: Struct) -> str:
    """Everything that a struct says, as JSON text, without what identifies a person."""
    return _json(_plain(data)).decode()


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
