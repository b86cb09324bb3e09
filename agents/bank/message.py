"""What the simulated bank hands over: a message for Kafka, and the envelope around an event."""

from typing import Any

import msgspec

from schemas.envelope import from_millis
from schemas.events import EVENT_TYPES

SOURCES = {
    "bank.core": "/bank/core",
    "bank.card": "/bank/card",
    "bank.app": "/bank/app",
    "bank.service": "/bank/service",
    "crm.feedback": "/crm",
}
"""Topic → the system that its events come from."""

encode = msgspec.json.Encoder().encode


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message in the order of arrival."""

    topic: str
    key: bytes
    value: bytes
    at: int
    """When it arrives: bank time, epoch milliseconds. The event's own time may be earlier."""


def iso(millis: int) -> str:
    """Epoch milliseconds as ISO 8601 in UTC, with milliseconds."""
    return f"{from_millis(millis):%Y-%m-%dT%H:%M:%S}.{millis % 1000:03d}Z"


def envelope(
    event_id: str, event_type: str, subject: str, at: int, data: dict[str, Any]
) -> dict[str, Any]:
    """A CloudEvent as plain data, of the source that its type belongs to."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": SOURCES[EVENT_TYPES[event_type].topic],
        "type": event_type,
        "subject": subject,
        "time": iso(at),
        "datacontenttype": "application/json",
        "data": data,
    }


def message(event: dict[str, Any], at: int) -> Message:
    """The message of an envelope, keyed as the contract asks."""
    topic = EVENT_TYPES[event["type"]].topic
    return Message(topic, event["subject"].encode(), encode(event), at)
