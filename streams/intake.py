"""From a message to something that can be merged and stepped. Decodes once; never raises."""

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from schemas.dead_letters import DeadLetter, Reason, dead_letter
from schemas.decode import BrokenEventError, UnknownTypeError, decode_event
from schemas.envelope import Event, to_millis
from schemas.events import EVENT_TYPES, INTERNAL
from schemas.events.core import CustomerUpdated
from schemas.filling import FILL_TYPE, Fill, decode_fill
from streams.attributes import Attributes, WrongAttributeError
from streams.context import CoreSettings
from streams.inputs import Input, Raw
from streams.partitioning import partition_of

_TYPE_OF = {cls: name for name, cls in EVENT_TYPES.items()}


class Entry(Struct, frozen=True, gc=False):
    """One message after decoding: an input, what fills windows, or an unknown type, or
    a dead letter."""

    raw: Raw
    input: Input | None = None
    unknown: str = ""
    problem: DeadLetter | None = None
    fill: Fill | None = None
    undeclared: int = 0
    """Attributes that nobody declared, and that were left out of the input."""


def read(raw: Raw, settings: CoreSettings) -> Entry:
    """Decode a message and check what can be checked without a record or a clock."""
    if raw.value is None:
        return Entry(raw, problem=reject(raw, Reason.BROKEN, "the message has no value"))
    try:
        event = decode_event(raw.value)
    except UnknownTypeError as unknown:
        if raw.topic == INTERNAL and unknown.event_type == FILL_TYPE:
            return _read_fill(raw, raw.value, settings.partitions)
        return Entry(raw, unknown=unknown.event_type)
    except BrokenEventError as error:
        return Entry(raw, problem=reject(raw, Reason.BROKEN, str(error)))
    at = to_millis(event.time)
    if at < 0:
        return Entry(raw, problem=reject(raw, Reason.BROKEN, "time is before 1970", event))
    key = event.subject.encode()
    if raw.key != key or raw.partition != partition_of(key, settings.partitions):
        detail = _wrong_key(raw, key, settings.partitions)
        return Entry(raw, problem=reject(raw, Reason.WRONG_KEY, detail, event))
    undeclared = 0
    if type(event) is CustomerUpdated and event.data.attributes:
        try:
            event, undeclared = _with_declared(event, settings.attributes)
        except WrongAttributeError as error:
            return Entry(raw, problem=reject(raw, Reason.BROKEN, str(error), event))
    given = Input(event, _TYPE_OF[type(event)], at, raw.topic, raw.partition, raw.offset)
    return Entry(raw, given, undeclared=undeclared) if undeclared else Entry(raw, given)


def _read_fill(raw: Raw, value: bytes, partitions: int) -> Entry:
    try:
        fill = decode_fill(value)
    except (msgspec.MsgspecError, UnicodeError):
        return Entry(raw, problem=reject(raw, Reason.BROKEN, "it fills no windows"))
    if fill.subject and (detail := _wrong_key(raw, fill.subject.encode(), partitions)):
        return Entry(raw, problem=reject(raw, Reason.WRONG_KEY, detail))
    return Entry(raw, fill=fill)


def _with_declared(event: CustomerUpdated, attributes: Attributes) -> tuple[CustomerUpdated, int]:
    """The event with its declared attributes alone, and how many it had besides."""
    given = event.data.attributes
    assert given is not UNSET, "there are some"
    kept = attributes.conform(given)
    undeclared = len(given) - len(kept)
    if undeclared:
        event = replace(event, data=replace(event.data, attributes=kept or UNSET))
    return event, undeclared


def _wrong_key(raw: Raw, key: bytes, partitions: int) -> str:
    """What is wrong with a message of this key."""
    if raw.key != key:
        return "the Kafka key is not the event's subject"
    expected = partition_of(key, partitions)
    if raw.partition != expected:
        return f"the key belongs to partition {expected} of {partitions} (murmur2)"
    return ""


def reject(raw: Raw, reason: Reason, detail: str, event: Event | None = None) -> DeadLetter:
    """The dead letter of a message; with its event's names where it could be decoded."""
    return dead_letter(
        reason,
        detail,
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        key=raw.key,
        value=raw.value,
        event_type=event.event_type() if event else "",
        event_source=event.source if event else "",
        event_id=event.id if event else "",
        first=str(raw.first or ""),
    )
