"""What an example says of an event that the event cannot say: fields that it does not have, choices
that are none.

A bank may send fields that we do not know; in an example such a name is a slip, and the example
would show nothing.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple, get_type_hints

from msgspec import inspect

from schemas.envelope import Event
from schemas.events.core import CustomerUpdated
from streams.attributes import Attributes, WrongAttributeError
from streams.expressions.parse import nearest


class WrongField(NamedTuple):
    path: str
    """Such as `direction` or `family.0.relation`."""
    message: str
    of_name: bool = False
    """There is no field of this name; else it has another value than it can have."""


def wrong_fields(
    event: type[Event], said: dict[str, Any], attributes: Attributes
) -> Iterator[WrongField]:
    """What is wrong with the data of an example's event, in order."""
    yield from _wrong(_data(event), said, "", event.event_type())
    own = said.get("attributes")
    if event is CustomerUpdated and isinstance(own, dict):
        yield from _own_fields(own, attributes)


def _own_fields(said: dict[str, Any], attributes: Attributes) -> Iterator[WrongField]:
    for name, value in said.items():
        if name not in attributes.declared:
            message = f"the attribute {name} is not declared{nearest(name, attributes.declared)}"
            yield WrongField(f"attributes.{name}", message, of_name=True)
            continue
        try:
            attributes.conform({name: value})
        except WrongAttributeError as error:
            yield WrongField(f"attributes.{name}", str(error))


@cache
def _data(event: type[Event]) -> inspect.Type:
    return inspect.type_info(get_type_hints(event)["data"])


def _wrong(kind: inspect.Type, value: Any, path: str, owner: str) -> Iterator[WrongField]:
    match kind, value:
        case inspect.Metadata(), _:
            yield from _wrong(kind.type, value, path, owner)
        case inspect.UnionType(), _:
            for one in kind.types:
                if not isinstance(one, inspect.NoneType) or value is not None:
                    yield from _wrong(one, value, path, owner)
        case inspect.StructType(), dict():
            yield from _of_struct(kind, value, path, owner)
        case inspect.ListType(), list():
            for number, one in enumerate(value):
                yield from _wrong(kind.item_type, one, f"{path}.{number}", owner)
        case inspect.LiteralType(), _ if value is not None and value not in kind.values:
            choices = [str(one) for one in kind.values]
            message = f"should be {one_of(choices)}{nearest(str(value), choices)}"
            yield WrongField(path, message)


def _of_struct(
    kind: inspect.StructType, value: dict[Any, Any], path: str, owner: str
) -> Iterator[WrongField]:
    fields = {field.name: field.type for field in kind.fields}
    for name, one in value.items():
        at = f"{path}.{name}" if path else str(name)
        if name not in fields:
            hint = nearest(str(name), fields) or f"; there are {', '.join(fields)}"
            message = f"{name} is not a field of {path or owner}{hint}"
            yield WrongField(at, message, of_name=True)
        else:
            yield from _wrong(fields[name], one, at, owner)


def one_of(choices: Iterable[str]) -> str:
    """Choices in words: `in or out`."""
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else last
