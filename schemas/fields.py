"""The field types that events share: money, rates, names of things, and personal data."""

from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta

MONEY_DIGITS = 14
"""Digits before the point. With four decimals an amount fits ClickHouse's Decimal(18, 4)."""
MONEY_DECIMALS = 4
RATE_DECIMALS = 8
COLUMN_DIGITS = MONEY_DIGITS + MONEY_DECIMALS
"""On both sides of the point, of money and rates alike: what a Decimal of 64 bits holds."""

SENSITIVE = "sensitive"

Text = Annotated[str, Meta(max_length=2_000)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
"""The name of a thing: a product, a channel, a topic of interest."""
Id = Annotated[str, Meta(min_length=1, max_length=128)]
CURRENCY = "currency"
Currency = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=3,
        extra_json_schema={"pattern": "^[A-Z]{3}$"},
        extra={CURRENCY: True},
    ),
]
"""ISO 4217: three capital letters. `check_currency` sees to the letters: a regular expression
inside the decoder costs more."""
COUNTRY = "country"
Country = Annotated[str, Meta(min_length=2, max_length=2, extra={COUNTRY: True})]
"""ISO 3166-1 alpha-2."""
Instant = Annotated[datetime, Meta(tz=True)]

Whole = Annotated[int, Meta(ge=-(2**53), le=2**53)]
"""A whole number that JSON readers, msgpack and ClickHouse's Int64 all hold exactly."""

Money = Annotated[Decimal, Meta(extra={"decimals": MONEY_DECIMALS})]
"""An amount: a JSON string on the wire, at most 14 digits before the point and 4 after it."""
Rate = Annotated[Decimal, Meta(extra={"decimals": RATE_DECIMALS})]
"""A rate per year or an exchange rate, as a fraction (0.025 is 2.5%), at most 8 decimals."""

PersonalText = Annotated[str, Meta(max_length=2_000, extra={SENSITIVE: True})]
"""Text that identifies a person: never in a log line, a metric or an error message."""
PersonalId = Annotated[str, Meta(min_length=1, max_length=128, extra={SENSITIVE: True})]

_DAY = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\Z"
_DATE = {"format": "date"}
PersonalDate = Annotated[
    str, Meta(pattern=_DAY, extra_json_schema=_DATE, extra={"day": True, SENSITIVE: True})
]
"""A day that identifies a person (a birthday), as YYYY-MM-DD."""
Day = Annotated[str, Meta(pattern=_DAY, extra_json_schema=_DATE, extra={"day": True})]
"""A calendar day in the bank's time zone, as YYYY-MM-DD."""


def metadata(annotation: Any) -> dict[str, Any]:
    """What the `Annotated` parts of a type say, through optional types and unions."""
    found: dict[str, Any] = {}
    for part in (annotation, *getattr(annotation, "__args__", ())):
        for meta in getattr(part, "__metadata__", ()):
            found.update(getattr(meta, "extra", None) or {})
    return found


def sensitive_fields(struct: type[msgspec.Struct]) -> frozenset[str]:
    """Names of a struct's fields that are marked as identifying a person."""
    hints = get_type_hints(struct, include_extras=True)
    return frozenset(name for name, hint in hints.items() if metadata(hint).get(SENSITIVE))


def decimal_fields(struct: type[msgspec.Struct]) -> tuple[tuple[str, int], ...]:
    """A struct's decimal fields, each with the number of decimals it may have."""
    hints = get_type_hints(struct, include_extras=True)
    found = ((name, metadata(hint).get("decimals")) for name, hint in hints.items())
    return tuple((name, decimals) for name, decimals in found if decimals is not None)


def day_fields(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    """Names of a struct's fields that hold a day."""
    return _marked(struct, "day")


def currency_fields(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    """Names of a struct's fields that hold a currency."""
    return _marked(struct, CURRENCY)


def country_fields(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    """Names of a struct's fields that hold a country."""
    return _marked(struct, COUNTRY)


@cache
def _marked(struct: type[msgspec.Struct], mark: str) -> tuple[str, ...]:
    hints = get_type_hints(struct, include_extras=True)
    return tuple(name for name, hint in hints.items() if metadata(hint).get(mark))


_CENT = Decimal("0.01")
_QUANTA = {places: Decimal(1).scaleb(-places) for places in (MONEY_DECIMALS, RATE_DECIMALS)}


def is_ordinary(value: Decimal) -> bool:
    """Whether a number has two decimals and fits: what nearly all amounts are, told in a glance."""
    return value.same_quantum(_CENT) and value.adjusted() < COLUMN_DIGITS - RATE_DECIMALS


def check_decimal(name: str, value: Decimal, decimals: int, digits: int = MONEY_DIGITS) -> None:
    """Refuse what would not fit the columns and sums: infinite, too large, too fine.

    Raises ValueError that names the field and never shows the value.
    """
    if not value.is_finite():
        raise ValueError(f"{name} is not a number")
    if value.adjusted() >= digits:
        raise ValueError(f"{name} has more than {digits} digits before the point")
    if value.adjusted() < -decimals or value.quantize(_QUANTA[decimals]) != value:
        raise ValueError(f"{name} has more than {decimals} decimals")


def check_day(name: str, value: str) -> None:
    """Refuse a day that no calendar has, as a pattern cannot: no timer could wait for it.

    Raises ValueError that names the field and never shows the value.
    """
    try:
        date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{name} is no day of the calendar") from None


def check_currency(name: str, value: str) -> None:
    """Refuse what no exchange rate could be of: `usd` is not `USD`, and no rate would be found.

    Raises ValueError that names the field and never shows the value.
    """
    if not (value.isascii() and value.isalpha() and value.isupper()):
        raise ValueError(f"{name} is not three capital letters, as ISO 4217 has them")
