"""What flows, described for others: JSON Schema of events and effects, and a table of event types.

The files beside this one are made from it; `python -m tests.schemas.documents` writes them anew.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

import msgspec

from schemas.effects import Effect
from schemas.envelope import Event
from schemas.events import EVENT_TYPES, AnyEvent
from schemas.events.reference import FACT_TYPES, AnyFact
from schemas.fields import sensitive_fields

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def events_schema() -> dict[str, Any]:
    """JSON Schema of an event of any type."""
    return _schema(AnyEvent, "vipcare events", "An event that vipcare reads")


def facts_schema() -> dict[str, Any]:
    """JSON Schema of a fact of any type."""
    return _schema(AnyFact, "vipcare facts", "A fact of bank.reference, bank.org or bank.campaign")


def effects_schema() -> dict[str, Any]:
    """JSON Schema of whatever vipcare sends: a task, an alert, an action, …"""
    return _schema(Effect, "vipcare effects", "A task, an alert, an action, … that vipcare sends")


def as_file(schema: dict[str, Any]) -> str:
    """A schema as the text of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def types_table() -> str:
    """Every event type with its fields, a Markdown table for each topic."""
    return "\n".join(_tables(EVENT_TYPES))


def facts_table() -> str:
    """Every type of fact with its fields, a Markdown table for each topic."""
    return "\n".join(_tables(FACT_TYPES))


def _schema(kind: Any, title: str, description: str) -> dict[str, Any]:
    made = _portable(msgspec.json.schema(kind))
    assert isinstance(made, dict)
    return {"$schema": _DIALECT, "title": title, "description": description, **made}


def _portable(part: Any) -> Any:
    r"""Python's `\Z` is `$` everywhere else."""
    if isinstance(part, dict):
        return {name: _portable(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_portable(value) for value in part]
    return part.replace(r"\Z", "$") if isinstance(part, str) else part


def _tables(types: Mapping[str, type[Event]]) -> Iterator[str]:
    topic = ""
    for name, event in types.items():
        if event.topic != topic:
            topic = event.topic
            yield f"\n**`{topic}`**\n"
            yield "| type | fields it must have | fields it may have |"
            yield "|---|---|---|"
        required, optional = _fields(event)
        yield f"| `{name}` | {required} | {optional} |"


def _fields(event: type[Event]) -> tuple[str, str]:
    """Names of the required and the optional fields; `†` marks those that identify a person."""
    data = get_type_hints(event)["data"]
    personal = sensitive_fields(data)
    required: list[str] = []
    optional: list[str] = []
    for found in msgspec.structs.fields(data):
        shown = f"{found.name}†" if found.name in personal else found.name
        (required if found.required else optional).append(shown)
    return ", ".join(required) or "–", ", ".join(optional) or "–"
