"""What matures: deposits and products are redeemed on their day, by whoever forgets them too."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from agents.bank.calendar import number_of, start_of
from agents.bank.population import Customer
from agents.bank.stories.story import HOUR_MS, MINUTE_MS, Step
from agents.bank.stories.transfers import balance

_OF_DAY = 10 * HOUR_MS


class Maturing:
    """What one customer's story has placed or bought, and not redeemed."""

    def __init__(self) -> None:
        self._open: dict[str, dict[str, Any]] = {}

    def tell(self, event_type: str, data: dict[str, Any]) -> None:
        """An event of the story, in order."""
        name = data.get("deposit") or data.get("holding")
        if event_type in ("deposit.placed", "deposit.renewed", "product.purchased"):
            if "matures_on" in data:
                self._open[str(name)] = data
        elif event_type in ("deposit.redeemed", "product.redeemed"):
            self._open.pop(str(name), None)

    def redeemed(self, customer: Customer, at: int) -> Iterator[Step]:
        """The events that end it, each on its day, from a bank time on."""
        for data in sorted(self._open.values(), key=lambda one: str(one["matures_on"])):
            matures = start_of(number_of(date.fromisoformat(data["matures_on"]))) + _OF_DAY
            wait = max(0, matures - at)
            at += wait + MINUTE_MS
            yield Step(wait, *_redeemed(data))
            yield Step(MINUTE_MS, "balance.reported", balance(customer))


def _redeemed(data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if "holding" in data:
        return "product.redeemed", data
    told = {"deposit": data["deposit"], "amount": data["principal"], "currency": data["currency"]}
    return "deposit.redeemed", told | {"early": False}
