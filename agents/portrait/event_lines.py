"""The time line out of the rows of events."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from decimal import Decimal
from typing import Any

import msgspec

from sinks.clickhouse.customer import Shown
from streams.portrait.merchant_categories import category_name
from streams.portrait.parts import Amount, Table, Value
from streams.portrait.ties import relation_of

_COLUMNS = ("time", "what", "about", "amount", "times")
_SAY = (
    "direction",
    "purpose",
    "merchant",
    "category",
    "country",
    "counterparty_bank",
    "counterparty_country",
    "page",
    "page_topic",
    "journey",
    "step",
    "benefit",
    "place",
    "interest",
    "tag",
    "kind",
    "product",
    "about",
    "severity",
    "outcome",
    "reason",
    "score",
    "channel",
    "rm",
    "given_by",
    "by",
    "branch",
    "account",
    "card",
    "deposit",
    "holding",
    "loan",
    "call",
    "case",
    "task",
    "matures_on",
    "due_on",
)
"""What of an event is told, in this order, whether it has a column or is in `rest`."""
_BLANKS = str.maketrans("._", "  ")
_SUMS = ("amount", "principal", "balance", "cost", "amount_due", "limit")


def time_line(events: Iterable[Shown], count: int, most: int, zone: tzinfo) -> Table:
    """The newest first, at most so many lines of `count` events.

    What happens again on the same day, with all that is told of it, is one line and says how often.
    """
    lines: dict[object, list[Any]] = {}
    for row in events:
        data = _data(row)
        what = str(row["type"]).translate(_BLANKS)
        about, amount = _about(data), _amount(data)
        time = row["time"].astimezone(zone)
        line = lines.setdefault((time.date(), what, about, amount), [time, what, about, amount, 0])
        line[-1] += 1
    rows: tuple[tuple[Value, ...], ...] = tuple(map(tuple, list(lines.values())[:most]))
    shown = sum(row[-1] for row in rows if isinstance(row[-1], int))
    return Table("time_line", _COLUMNS, rows, max(0, count - shown))


def _data(row: Shown) -> dict[str, Any]:
    """What an event told, as far as it is stored: the columns and the rest alike."""
    rest = msgspec.json.decode(row["rest"]) if row["rest"] else {}
    return rest | {name: value for name, value in row.items() if value is not None}


def _about(data: Mapping[str, Any]) -> str | None:
    if data["type"] == "customer.updated":
        return _changed(msgspec.json.decode(data["rest"] or "{}"))
    told = [_said(name, data[name]) for name in _SAY if data.get(name) not in (None, "")]
    if "other" in data:
        mark = "<" if data.get("reverse") else ""
        told = [*relation_of(f"{data['other']} {mark}{data['relation']}"), *told]
    return " · ".join(told) or None


def _said(name: str, value: object) -> str:
    return category_name(str(value)) if name == "category" else str(value)


def _changed(fields: Mapping[str, Any]) -> str | None:
    """tier platinum · consents: of what has more than one value the name alone."""
    told = [
        name.replace("_", " ") + (f" {value}" if isinstance(value, str) else "")
        for name, value in fields.items()
    ]
    return " · ".join(told) or None


def _amount(data: Mapping[str, Any]) -> Amount | None:
    for name in _SUMS:
        if data.get(name) is not None:
            return Amount(Decimal(data[name]), data.get("currency") or "")
    return None
