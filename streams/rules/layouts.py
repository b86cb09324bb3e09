"""What is kept of an event, so that it can be played again: the fields that rules look at."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, get_type_hints
from zlib import crc32

import msgspec
from msgspec import Struct

from schemas.events import EVENT_TYPES
from schemas.packed import pack
from streams.expressions.compile import compile_function
from streams.expressions.nodes import Aggregate, EventField, Node, walk
from streams.rules.compiled import CompiledRule

_TAKES_BACK = [one.takes_back for one in EVENT_TYPES.values() if one.takes_back]
_NAMED_BY = {kind: one.named_by for one in _TAKES_BACK for kind in one.types}
"""What tells an event from others when it is reversed."""


class Layout(NamedTuple):
    """What is kept of the events of one type."""

    mark: int
    """Tells it from what was kept under other rules."""
    pack: Callable[[Any], bytes]
    """What is kept of an event's data."""
    decoder: msgspec.msgpack.Decoder[Any]


def fields_of(rules: Iterable[CompiledRule]) -> dict[str, set[str]]:
    """Event type → what the rules look at of it."""
    found: dict[str, set[str]] = {}

    def add(types: Iterable[str], nodes: Iterable[Node | None]) -> None:
        names = {
            part.name
            for node in nodes
            if node is not None
            for part in walk(node)
            if isinstance(part, EventField)
        }
        for event_type in types:
            kept = found.setdefault(event_type, set(_NAMED_BY.get(event_type, ())))
            kept |= names & set(_struct(event_type).__struct_fields__)

    for rule in rules:
        checked = rule.checked
        add(
            checked.definition.on,
            (checked.condition, *checked.lets.values(), *checked.shown.values()),
        )
        for aggregate in checked.aggregates():
            add(_types(aggregate), (aggregate.where, aggregate.value))
    return found


def _types(aggregate: Aggregate) -> Iterable[str]:
    return dict.fromkeys((*aggregate.types, *aggregate.without))


def layout_of(event_type: str, names: set[str]) -> Layout:
    struct = _struct(event_type)
    hints = get_type_hints(struct)
    defaults = {one.name: one.default for one in msgspec.structs.fields(struct)}
    fields = []
    for name in sorted(names):
        default = defaults[name]
        optional = default is not msgspec.NODEFAULT
        fields.append((name, hints[name], default) if optional else (name, hints[name]))
    made = msgspec.defstruct("Kept", fields, kw_only=True, omit_defaults=True)
    mark = crc32(repr(sorted(names)).encode())
    given = ", ".join(f"{name}=d.{name}" for name in sorted(names))
    source = f"def made(d): return pack(struct({given}))\n"
    packer = compile_function(source, {"pack": pack, "struct": made})
    return Layout(mark, packer, msgspec.msgpack.Decoder(made))


def _struct(event_type: str) -> type[Struct]:
    data: type[Struct] = get_type_hints(EVENT_TYPES[event_type])["data"]
    return data
