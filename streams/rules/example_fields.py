"""What an example says of an event that the event cannot say: fields that it does not have, values
of another type, choices that are none.

A bank may send fields that we do not know; in an example such a name is a slip, and the example
would show nothing.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any, NamedTuple, get_type_hints

from msgspec import inspect

from schemas.envelope import Event
from schemas.events.core import CustomerUpdated
from streams.attributes import Attributes, WrongAttributeError
from streams.expressions.catalogue import DAY_PATTERN
from streams.expressions.parse import nearest

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

_WORDS: Mapping[type[inspect.Type], str] = {
    inspect.BoolType: "true or false",
    inspect.IntType: "a whole number",
    inspect.DecimalType: "a number",
    inspect.ListType: "a list",
    inspect.StructType: "keys with values",
    inspect.DictType: "keys with values",
}


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
            for one in kind.types if value is not None else ():
                yield from _wrong(one, value, path, owner)
        case inspect.StructType(), dict():
            yield from _of_struct(kind, value, path, owner)
        case inspect.ListType(), list():
            for number, one in enumerate(value):
                yield from _wrong(kind.item_type, one, f"{path}.{number}", owner)
        case inspect.DictType(), dict():
            for name, one in value.items():
                yield from _wrong(kind.value_type, one, f"{path}.{name}", owner)
        case inspect.LiteralType(), _ if value not in kind.values:
            hint = nearest(str(value), map(str, kind.values))
            yield WrongField(path, f"should be {takes(kind)}{hint}")
        case _ if not _is_taken(kind, value):
            in_quotes = ": a number stands in quotes" * (type(value) in (int, float))
            is_text = isinstance(kind, inspect.StrType) and not _is_day(kind)
            yield WrongField(path, f"should be {takes(kind)}{in_quotes * is_text}")


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


def takes(kind: inspect.Type) -> str:
    """What a field takes, in words: `in or out`, `a whole number`."""
    match kind:
        case inspect.LiteralType(values=values):
            *others, last = map(str, values)
            return f"{', '.join(others)} or {last}" if others else last
        case inspect.StrType() if _is_day(kind):
            return "a day such as 2026-03-01"
        case inspect.DictType(value_type=inspect.StrType()):
            return "a text for each language, as in {zh: 甲, en: A}"
    return _WORDS.get(type(kind), "a text")


def _is_day(kind: inspect.StrType) -> bool:
    return kind.pattern is not None and kind.pattern.startswith(DAY_PATTERN)


def _is_taken(kind: inspect.Type, value: Any) -> bool:
    """Whether a value is of a type, as YAML reads it: days may be dates, amounts texts."""
    match kind:
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            return type(value) is int
        case inspect.DecimalType():
            return type(value) in (int, float) or _NUMBER.fullmatch(str(value)) is not None
        case inspect.StrType() if _is_day(kind):
            return re.search(kind.pattern or "", str(value)) is not None
        case inspect.StrType():
            return isinstance(value, str | date)
        case inspect.ListType():
            return isinstance(value, list)
        case inspect.StructType() | inspect.DictType():
            return isinstance(value, dict)
    return True
