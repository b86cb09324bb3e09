"""Amounts in the bank's base currency, reckoned where an event lacks them.

The rate is the last that `bank.reference` told when the event is stepped, also for a late event.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from schemas.events import EVENT_TYPES
from schemas.fields import MONEY_DECIMALS, MONEY_DIGITS, check_decimal
from streams.facts import Facts
from streams.inputs import Input

_CENT = Decimal("0.01")
_OF = {
    "base_amount": "amount",
    "base_balance": "balance",
    "base_principal": "principal",
    "base_cost": "cost",
}


class NoBaseAmountError(ValueError):
    """No rate is known for an amount. Its text shows no amount; nor does the other one's."""


class LargeBaseAmountError(ValueError):
    """An amount would be out of range in the base currency."""


def _plan() -> dict[str, tuple[str, str]]:
    """Event type → its field in the base currency, and the one that it is reckoned from."""
    plan = {}
    for name, event in EVENT_TYPES.items():
        fields = event.__annotations__["data"].__struct_fields__
        for base, amount in _OF.items():
            if base in fields and amount in fields and "currency" in fields:
                plan[name] = base, amount
    return plan


_PLAN = _plan()


def with_base_amount(event: Input, facts: Facts, base_currency: str) -> Input:
    """The event, with its amount in the base currency. Raises NoBaseAmountError and
    LargeBaseAmountError."""
    plan = _PLAN.get(event.type)
    if plan is None or getattr(event.event.data, plan[0]) is not None:
        return event
    base, amount = plan
    data: Any = event.event.data
    given = getattr(data, amount)
    if given is None or data.currency is None:
        return event
    reckoned = _reckon(given, data.currency, facts, base_currency)
    whole = msgspec.structs.replace(data, **{base: reckoned})
    return msgspec.structs.replace(event, event=msgspec.structs.replace(event.event, data=whole))


def told(amount: Decimal | None) -> Decimal:
    """A base amount inside a fold: the step has seen to it that there is one."""
    assert amount is not None, "reckoned before the fold"
    return amount


def _reckon(amount: Decimal, currency: str, facts: Facts, base_currency: str) -> Decimal:
    if currency == base_currency:
        return amount
    rate = facts.rates.get(currency)
    if rate is None:
        raise NoBaseAmountError(
            f"it has no amount in {base_currency}, and bank.reference has no exchange rate "
            f"of its currency"
        )
    try:
        reckoned = (amount * rate).quantize(_CENT)
        check_decimal("it", reckoned, MONEY_DECIMALS)
    except (ValueError, InvalidOperation):
        raise LargeBaseAmountError(
            f"by the exchange rate of bank.reference, its amount in {base_currency} would have "
            f"more than {MONEY_DIGITS} digits before the point"
        ) from None
    return reckoned
