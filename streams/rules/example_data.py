"""The data of an example's event: what is said, what is made up, and what has to be said.

Made up are texts (ids above all), so that nothing that a rule asks for by its name is among them;
the currency is the base currency, the country that of the base currency, and an amount that is only
said in the base currency is the same in the event's own. Numbers, days and choices must be said: a
rule that looks at them would fire, or not, by what nobody wrote.
"""

from functools import cache
from typing import Any, NamedTuple, get_type_hints

import msgspec
from msgspec import inspect

from schemas.envelope import Event
from schemas.events.card import CategoryCode
from schemas.fields import country_fields, currency_fields
from streams.rules.example_fields import takes

_BASE = "base_"
_NO_CATEGORY = "0000"
_EVENTS = 100_000
"""More than an example can have: what is made up for the last of them has to fit as well."""


class _Field(NamedTuple):
    name: str
    is_required: bool
    is_decimal: bool
    made_up: str
    """With `{number}`, `{currency}` or `{country}`; empty for what must be said."""
    takes: str
    """In words; empty for what is made up."""


def event_data(
    event: type[Event], said: dict[str, Any], number: int, base_currency: str
) -> tuple[dict[str, Any], list[str]]:
    """The data of an example's event of that number, and what is missing, each with what it
    takes."""
    data, missing = dict(said), []
    for field in _fields(event):
        name = field.name
        if name in data:
            if field.is_decimal and type(data[name]) in (int, float):
                data[name] = str(data[name])
        elif not field.is_required:
            continue
        elif f"{_BASE}{name}" in said:
            data[name] = str(said[f"{_BASE}{name}"])
        elif field.made_up:
            data[name] = field.made_up.format(
                number=number, currency=base_currency, country=base_currency[:2]
            )
        else:
            missing.append(f"{name} ({field.takes})")
    return data, missing


@cache  # looking them up is a third of what all examples take
def _fields(event: type[Event]) -> tuple[_Field, ...]:
    data = get_type_hints(event)["data"]
    info = inspect.type_info(data)
    assert isinstance(info, inspect.StructType)
    hints = get_type_hints(data, include_extras=True)
    return tuple(_field(data, one, hints[one.name]) for one in info.fields)


def _field(data: type[msgspec.Struct], field: inspect.Field, hint: Any) -> _Field:
    kind, name = _plain(field.type), field.name
    made_up = asked = ""
    if field.required:
        made_up = _made_up(data, name, hint) if isinstance(kind, inspect.StrType) else ""
        asked = "" if made_up else _takes(data, name, kind)
    return _Field(name, field.required, isinstance(kind, inspect.DecimalType), made_up, asked)


def _made_up(data: type[msgspec.Struct], name: str, hint: Any) -> str:
    """Empty for a day, and for a currency that is not what the event's amounts are in."""
    if name in country_fields(data):
        return "{country}"
    if name in currency_fields(data):
        return "{currency}" if name == "currency" else ""
    if hint == CategoryCode:
        return _NO_CATEGORY
    text = f"{name}-{{number}}"
    return text if _fits(text.format(number=_EVENTS), hint) else ""


def _fits(text: str, hint: Any) -> bool:
    try:
        msgspec.convert(text, hint)
    except msgspec.ValidationError:
        return False
    return True


def _plain(kind: inspect.Type) -> inspect.Type:
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    return kind


def _takes(data: type[msgspec.Struct], name: str, kind: inspect.Type) -> str:
    """What a field takes, in words."""
    return "a currency such as USD" if name in currency_fields(data) else takes(kind)
