"""Values as people write them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from rich.text import Text

from agents.terminal import plain
from streams.portrait.parts import Amount, Rate, Value, decimals, trimmed

UNKNOWN = "–"
_LONGEST = 2_000


def spoken(value: Value, base: str = "") -> Text:
    """One value as people write it; `base` is the currency of amounts that have none."""
    return Text(UNKNOWN, "dim") if value is None else plain(_spoken(value, base), _LONGEST)


def _spoken(value: Value, base: str) -> str:
    match value:
        case bool():
            text = "yes" if value else "no"
        case Amount():
            text = f"{amount(value.amount)} {value.currency or base}".rstrip()
        case int() | Decimal():
            text = f"{value:,}"
        case datetime():
            text = f"{value:%Y-%m-%d %H:%M}"
        case Mapping():
            text = ", ".join(f"{key} {_spoken(one, base)}" for key, one in value.items())
        case Rate():
            text = f"{trimmed(value.share * 100)} %"
        case tuple() | list():
            text = ", ".join(one if isinstance(one, str) else _thing(one) for one in value)
        case _:
            text = str(value)
    return text or UNKNOWN


def _thing(fields: Mapping[str, str]) -> str:
    return " · ".join(fields.values())


def amount(value: Decimal) -> str:
    """With thousands separators, and with two decimals unless it has more."""
    return f"{value:,.{decimals(value)}f}"


def words(name: str) -> str:
    """The name of a fact, a column or a part."""
    return name.replace("_", " ")
