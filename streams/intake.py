"""From a message to something that can be merged and stepped. Decodes once; never raises."""

from msgspec import Struct

from schemas.dead_letters import DeadLetter, Reason, dead_letter
from schemas.decode import BrokenEventError, UnknownTypeError, decode_event
from schemas.envelope import Event, to_millis
from schemas.events import EVENT_TYPES
from streams.context import CoreSettings
from streams.inputs import Input, Raw
from streams.partitioning import partition_of

_TYPE_OF = {cls: name for name, cls in EVENT_TYPES.items()}


class Entry(Struct, frozen=True, gc=False):
    """One message after decoding: an input, or an unknown type, or a dead letter."""

    raw: Raw
    input: Input | None = None
    unknown: str = ""
    problem: DeadLetter | None = None


def read(raw: Raw, settings: CoreSettings) -> Entry:
    """Decode a message and check what can be checked without a record or a clock."""
    if raw.value is None:
        return Entry(raw, problem=reject(raw, Reason.BROKEN, "the message has no value"))
    try:
        event = decode_event(raw.value)
    except UnknownTypeError as unknown:
        return Entry(raw, unknown=unknown.event_type)
    except BrokenEventError as error:
        return Entry(raw, problem=reject(raw, Reason.BROKEN, str(error)))
    at = to_millis(event.time)
    if at < 0:
        return Entry(raw, problem=reject(raw, Reason.BROKEN, "time is before 1970", event))
    if detail := _wrong_key(raw, event, settings.partitions):
        return Entry(raw, problem=reject(raw, Reason.WRONG_KEY, detail, event))
    return Entry(raw, Input(event, _TYPE_OF[type(event)], at, raw.topic, raw.partition, raw.offset))


def _wrong_key(raw: Raw, event: Event, partitions: int) -> str:
    if raw.key != event.subject.encode():
        return "the Kafka key is not the event's subject"
    expected = partition_of(raw.key, partitions)
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
