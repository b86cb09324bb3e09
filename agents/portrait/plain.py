"""A portrait as plain data, for JSON."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from streams.portrait.parts import Amount, Facts, Portrait, Rate, Value, decimals, trimmed


def as_data(portrait: Portrait) -> dict[str, Any]:
    """Facts are objects, tables lists of objects; amounts and rates are strings
    (0.028 is 2.8 %), times ISO 8601."""
    data: dict[str, Any] = {"customer": portrait.customer}
    base = portrait.base_currency
    for part in portrait.parts:
        if isinstance(part, Facts):
            data[part.name] = {fact.name: _plain(fact.value, base) for fact in part.facts}
        else:
            data[part.name] = [
                {name: _plain(value, base) for name, value in zip(part.columns, row, strict=True)}
                for row in part.rows
            ]
            if part.left_out:
                data[f"{part.name}_left_out"] = part.left_out
    return data


def _plain(value: Value, base: str) -> Any:
    match value:
        case Amount():
            number = f"{value.amount:.{decimals(value.amount)}f}"
            told, currency = {"amount": number}, value.currency or base
            return told | {"currency": currency} if currency else told
        case Rate():
            return trimmed(value.share)
        case Decimal():
            return f"{value:f}"
        case date():  # an instant is one, too
            return value.isoformat()
        case Mapping():
            return {key: _plain(one, base) for key, one in value.items()}
        case tuple() | list():
            return [one if isinstance(one, str) else dict(one) for one in value]
        case _:
            return value
