"""What a customer brings the bank in a year: a rough estimate, to compare customers by.

It is the sum of what the bank earns on each kind of business at a usual margin: on balances and
deposits what it earns on the money, on products their fees, on loans the interest above its own,
on card payments the interchange. What is paid is taken from the last three whole months, times
four. Benefits are not deducted: their cost is told beside it.
"""

from decimal import Decimal

from streams.assets import Totals

_CENT = Decimal("0.01")
_QUARTERS = 4

OF_BALANCES = Decimal("0.015")
OF_DEPOSITS = Decimal("0.008")
OF_WEALTH = Decimal("0.005")
OF_FUNDS = Decimal("0.008")
OF_INSURANCE = Decimal("0.010")
OF_OTHER = Decimal("0.005")
OF_LOANS = Decimal("0.020")
OF_SPENDING = Decimal("0.005")


def contribution(totals: Totals, spent: Decimal) -> Decimal:
    """In the base currency, a year; `spent` with cards in the last three whole months."""
    return (
        totals.balance * OF_BALANCES
        + totals.base_deposits * OF_DEPOSITS
        + totals.wealth * OF_WEALTH
        + totals.funds * OF_FUNDS
        + totals.insurance * OF_INSURANCE
        + totals.other * OF_OTHER
        + totals.base_loans * OF_LOANS
        + spent * _QUARTERS * OF_SPENDING
    ).quantize(_CENT)
