"""What a portrait is made of: facts under names, and tables. Who shows it formats the values."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct


class Amount(Struct, frozen=True):
    """Money. An empty currency is the bank's base currency."""

    amount: Decimal
    currency: str = ""


class Rate(Struct, frozen=True):
    """A share of a whole: 0.0125 is 1.25 %."""

    share: Decimal


Value = (
    str
    | int
    | bool
    | Decimal
    | Amount
    | Rate
    | date
    | datetime
    | None
    | Sequence[str]
    | Sequence[Mapping[str, str]]
    | Mapping[str, int]
    | Mapping[str, bool]
    | Mapping[str, str]
    | Mapping[str, Amount]
)
"""Instants are in the bank's time zone; None is unknown; a mapping counts, or says yes and no.
A sequence of mappings is a few things that share a line, each by its fields."""


class Fact(Struct, frozen=True):
    name: str
    """A word with underscores for blanks; the key where the portrait is data."""
    value: Value
    title: Mapping[str, str] | None = None
    """Language (zh, en) → what people call it, where it is not the name."""


class Facts(Struct, frozen=True, tag="facts"):
    name: str
    facts: tuple[Fact, ...]


class Table(Struct, frozen=True, tag="table"):
    """Rows of things of one kind. An empty one says that there is none."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    left_out: int = 0
    """Rows that were there and are not shown, and what fell off the record before."""


class Portrait(Struct, frozen=True):
    """A customer as people read it, part by part."""

    customer: str
    parts: tuple[Facts | Table, ...]
    base_currency: str = ""
    """Of the amounts that have none of their own; empty if nobody said it."""

    def part(self, name: str) -> Facts | Table:
        """The part of this name. Raises KeyError."""
        for part in self.parts:
            if part.name == name:
                return part
        raise KeyError(name)


def known(*facts: Fact) -> tuple[Fact, ...]:
    """Those of the facts that say something."""
    return tuple(one for one in facts if one.value not in (None, "", (), {}))


def frequent_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def sums_by_month(value: Value) -> dict[str, Amount]:
    """Of a mapping of amounts the amounts; of any other value nothing."""
    if not isinstance(value, Mapping):
        return {}
    return {name: one for name, one in value.items() if isinstance(one, Amount)}


def decimals(amount: Decimal) -> int:
    """How many an amount is written with: two, unless it has more."""
    places = amount.normalize().as_tuple().exponent
    return max(2, -places) if isinstance(places, int) else 2


def trimmed(number: Decimal) -> str:
    """Without zeros that say nothing: 0.0280 → 0.028, 100 → 100."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
