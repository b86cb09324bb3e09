"""Events as columns: the envelope, the most analysed fields each as one, the rest as JSON text.

Fields that identify a person are left out, at every depth: in ClickHouse they wait for encryption.
So are fields that vipcare does not know, because nobody has said what they are.

Columns are made for all events of a type at a time, so that an event costs what its own few fields
cost, not what the table's thirty columns would.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Struct, defstruct

from schemas.decode import BrokenEventError, UnknownTypeError, decode_event
from schemas.envelope import Data, Event, all_to_millis
from schemas.fields import sensitive_fields
from sinks.clickhouse.message import LATEST
from sinks.clickhouse.messages import Messages, Picked, shared
from sinks.clickhouse.rows import Column, Rows, joined

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

_OF_MANY = frozenset(
    (
        "amount",
        "base_amount",
        "account",
        "base_balance",
        "base_principal",
        "card",
        "merchant",
        "task",
        "score",
    )
)
"""Fields whose columns are not LowCardinality."""

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


_PIECE = 1_000
"""Messages at a time: what is made of them on the way stays in the processor's cache."""


def event_rows(messages: Picked) -> Rows:
    """Messages of keyed inputs as rows, in another order; what is no event of a known type, or of
    no time that a column holds, is counted as "broken" or "unknown"."""
    skipped: Counter[tuple[str, str]] = Counter()
    pieces = (messages[start : start + _PIECE] for start in range(0, len(messages), _PIECE))
    parts = [group.rows(messages.of) for piece in pieces for group in _groups(piece, skipped)]
    return replace(joined(messages.of, parts), skipped=skipped)


@dataclass(slots=True)
class _Group:
    """Messages of one type of event, by their places, and what was decoded of them."""

    type: type[Event]
    places: list[int] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    times: Column = field(default_factory=list)

    def rows(self, messages: Messages) -> Rows:
        picked, events = Picked(messages, self.places), self.events
        data = [event.data for event in events]
        plan = _plan(type(data[0]))
        columns: list[Column | None] = [
            picked.taken(messages.topics),
            picked.taken(messages.partitions),
            picked.taken(messages.offsets),
            _received(picked),
            [self.type.event_type()] * len(events),
            shared([event.source for event in events]),
            [event.id for event in events],
            [event.subject for event in events],
            self.times,
            *(get and get(data) for get in plan.columns),
            _rests(data, plan),
        ]
        return Rows(columns, picked)


def _groups(messages: Picked, skipped: Counter[tuple[str, str]]) -> Iterable[_Group]:
    groups: dict[type[Event], _Group] = {}
    values = messages.taken(messages.of.values)
    for place, value in zip(messages.places, values, strict=True):
        try:
            event = decode_event(value or b"")
        except UnknownTypeError:
            skipped[messages.of.topics[place], "unknown"] += 1
            continue
        except BrokenEventError:
            skipped[messages.of.topics[place], "broken"] += 1
            continue
        found = groups.get(type(event))
        if found is None:
            found = groups[type(event)] = _Group(type(event))
        found.places.append(place)
        found.events.append(event)
    whole = (_in_range(one, messages.of, skipped) for one in groups.values())
    return [group for group in whole if group.events]


def _in_range(group: _Group, messages: Messages, skipped: Counter[tuple[str, str]]) -> _Group:
    """The group with its times, without what is of no time that a column holds."""
    times = all_to_millis(event.time for event in group.events)
    group.times = [*times]
    if min(times) >= 0 and max(times) <= LATEST:  # nearly always
        return group
    kept = _Group(group.type)
    for place, event, time in zip(group.places, group.events, times, strict=True):
        if 0 <= time <= LATEST:
            kept.places.append(place)
            kept.events.append(event)
            kept.times.append(time)
        else:
            skipped[messages.topics[place], "broken"] += 1
    return kept


def _received(picked: Picked) -> Column:
    timestamps = picked.taken(picked.of.timestamps)
    if min(timestamps) >= 0 and max(timestamps) <= LATEST:  # nearly always
        return [*timestamps]
    return [message.received for message in picked]


class _Plan(NamedTuple):
    """Where the fields of a type of data go."""

    columns: tuple[Callable[[Sequence[Data]], Column] | None, ...]
    """How to get each of FIELDS; None where the type has no such field."""
    rest: tuple[Callable[[Data], object], ...]
    """How to get each of the others."""
    told: Callable[..., Struct]
    """Takes these, and holds what of them says something."""


@cache
def _plan(data: type[Data]) -> _Plan:
    names, hidden = data.__struct_fields__, _hidden(data)
    rest = [name for name in names if name not in hidden and name not in FIELDS]
    nothing = UNSET if UNSET in data.__struct_defaults__ else None  # a patch removes by null
    return _Plan(
        tuple(_getter(name) if name in names else None for name in FIELDS),
        tuple(map(attrgetter, rest)),
        defstruct("Told", [(name, Any, nothing) for name in rest], omit_defaults=True, gc=False),
    )


def _getter(name: str) -> Callable[[Sequence[Data]], Column]:
    get = attrgetter(name)
    if name in _OF_MANY:
        return lambda data: [*map(get, data)]
    return lambda data: shared([*map(get, data)])


_hidden = cache(sensitive_fields)
_json = msgspec.json.Encoder().encode
_SIMPLE = frozenset((str, int, bool, type(None), type(UNSET)))


def _rests(data: Sequence[Data], plan: _Plan) -> Column:
    """For each its fields without a column, as JSON text; what is not told is left out."""
    if not plan.rest:
        return ["{}"] * len(data)
    told = map(plan.told, *(_plains([*map(get, data)]) for get in plan.rest))
    return [_json(one).decode() for one in told]


def _plains(values: Column) -> Column:
    if _SIMPLE.issuperset(map(type, values)):  # mostly
        return values
    return [*map(_plain, values)]


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
