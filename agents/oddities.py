"""What an event or a fact says that the worker takes, and that hardly anyone means.

Each is a text that names the type and the field and shows no value.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import tzinfo
from decimal import Decimal
from typing import Any

from agents.iso_codes import CURRENCIES, countries
from schemas.consents import CHANNELS, PURPOSES
from schemas.envelope import Event, from_millis
from schemas.fields import country_fields, currency_fields, day_fields

_EARLIEST = "1900"
_MAY_BE_NEGATIVE = {"balance", "base_balance", "amount_due", "rate"}
"""A debt, a credit, and interest that is paid for money that is kept."""
_PRICED = {"benefit.used": "cost", "outcome.recorded": "amount"}
"""Type → the amount that counts only in a currency."""
_NOT_BEFORE_ITS_EVENT = {
    "deposit.placed": "matures_on",
    "deposit.renewed": "matures_on",
    "product.purchased": "matures_on",
    "loan.drawn": "due_on",
    "card.limit_changed": "temporary_until",
}


class Oddities:
    """`now` is the bank's time, epoch milliseconds; days are those of its time zone."""

    def __init__(self, now: int, zone: tzinfo) -> None:
        self._zone = zone
        self._today = f"{from_millis(now).astimezone(zone):%Y-%m-%d}"

    def of(self, event: Event) -> tuple[str, ...]:
        """What is odd about it."""
        kind = event.event_type()
        return tuple(f"{kind}: {what}" for what in self._of(kind, event))

    def _of(self, kind: str, event: Event) -> Iterator[str]:
        told = {name: getattr(event.data, name) for name in event.data.__struct_fields__}
        yield from _amounts(kind, told)
        yield from _codes(event, told)
        yield from self._days(kind, event, told)
        if isinstance(told.get("consents"), dict):
            yield from _consents(told["consents"])
        if kind == "survey.answered" and not 0 <= told["score"] <= told["best"]:
            yield "score is not between 0 and best"

    def _days(self, kind: str, event: Event, told: dict[str, Any]) -> Iterator[str]:
        days = {name: told[name] for name in day_fields(type(event.data)) if told[name]}
        family = [one.birthday for one in told.get("family") or () if one.birthday]
        if any(day < _EARLIEST for day in family):
            yield f"a birthday in the family is before {_EARLIEST}"
        if any(day > self._today for day in family):
            yield "a birthday in the family is in the future"
        for name, day in days.items():
            if day < _EARLIEST:
                yield f"{name} is before {_EARLIEST}"
            if name in ("birthday", "opened_on") and day > self._today:
                yield f"{name} is in the future"
        ends = _NOT_BEFORE_ITS_EVENT.get(kind, "")
        if ends in days and days[ends] < f"{event.time.astimezone(self._zone):%Y-%m-%d}":
            yield f"{ends} is before the day of the event"


def _amounts(kind: str, told: dict[str, Any]) -> Iterator[str]:
    for name, value in told.items():
        if isinstance(value, Decimal) and value < 0 and name not in _MAY_BE_NEGATIVE:
            yield f"{name} is below zero"
    amount = _PRICED.get(kind, "")
    if told.get(amount) is not None and told["currency"] is None:
        yield f"{amount} has no currency: none but base_{amount} counts"


def _consents(consents: Mapping[str, Iterable[str]]) -> Iterator[str]:
    channels = [one for told in consents.values() for one in told]
    for what, names, known in (
        ("purpose", consents, PURPOSES),
        ("channel", channels, CHANNELS),
    ):
        if any(name.casefold() not in known for name in names):
            asked = ", ".join(sorted(known))
            yield f"consents has a {what} that no rule asks for, unlike {asked}"


def _codes(event: Event, told: dict[str, Any]) -> Iterator[str]:
    for name in currency_fields(type(event.data)):
        if told[name] is not None and told[name] not in CURRENCIES:
            yield f"{name} is no currency of ISO 4217"
    for name in country_fields(type(event.data)):
        if told[name] is not None and told[name] not in countries():
            yield f"{name} is no country of ISO 3166-1"
