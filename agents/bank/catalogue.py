"""What the bank offers, as plain data: products, interest rates, exchange rates.

The dicts have the fields of the facts on `bank.reference`; a rate is a fraction in a string.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from agents.bank.money import RATES, money


class Product(NamedTuple):
    id: str
    product_class: str
    risk: int
    days: int | None
    """Until it matures; None: never."""
    rate: str | None
    least: int
    """The least amount, in the base currency."""
    zh: str
    en: str


PRODUCTS = (
    Product("WM-090", "wealth", 2, 90, "0.0265", 10_000, "稳健 90 天", "Steady 90 days"),
    Product("WM-180", "wealth", 2, 180, "0.0290", 50_000, "稳健 180 天", "Steady 180 days"),
    Product("WM-365", "wealth", 3, 365, "0.0335", 100_000, "进取 365 天", "Growth 365 days"),
    Product("FD-GLOBAL", "fund", 4, None, None, 1_000, "全球股票基金", "Global equity fund"),
    Product("FD-BOND", "fund", 2, None, None, 1_000, "优选债券基金", "Selected bond fund"),
    Product("IN-LEGACY", "insurance", 1, 365, "0.0200", 300_000, "传世终身寿", "Legacy life"),
    Product("GD-BAR", "precious metal", 3, None, None, 5_000, "投资金条", "Gold bars"),
    Product("PE-TECH-3", "private equity", 5, None, None, 1_000_000, "科创三期", "Tech III"),
    Product("FT-FAMILY", "family trust", 2, None, None, 10_000_000, "家族信托", "Family trust"),
    Product("ED-FUND", "education", 2, 365, "0.0310", 50_000, "教育金计划", "Education plan"),
)  # fmt: skip
ORDINARY = tuple(one for one in PRODUCTS if one.least <= 300_000 and one.id != "ED-FUND")
"""What customers buy by themselves; the others are what an RM proposes."""

_INTEREST = (
    ("deposit-call", "0.0065", None, "通知存款", "Deposit at call"),
    ("deposit-1m", "0.0095", 1, "一个月定期", "Time deposit, 1 month"),
    ("deposit-3m", "0.0120", 3, "三个月定期", "Time deposit, 3 months"),
    ("deposit-6m", "0.0145", 6, "六个月定期", "Time deposit, 6 months"),
    ("deposit-12m", "0.0165", 12, "一年定期", "Time deposit, 12 months"),
    ("mortgage", "0.0310", None, "个人住房贷款", "Mortgage"),
    ("business-loan", "0.0345", 12, "经营贷款", "Business loan"),
    ("securities-loan", "0.0420", 12, "证券质押贷款", "Loan on securities"),
)


_RATES = {name: rate for name, rate, *_ in _INTEREST}
_TIME_DEPOSITS = tuple(
    (term * 28, rate) for name, rate, term, *_ in _INTEREST if name.startswith("deposit-") and term
)
"""The least days → the rate, the shortest first."""
LOANS = {"mortgage": _RATES["mortgage"], "business": _RATES["business-loan"],
         "securities": _RATES["securities-loan"]}  # fmt: skip
"""Kind of loan → its rate."""


def deposit_rate(days: int) -> str:
    """What a deposit of so many days bears: as one of the longest term that it reaches."""
    reached = [rate for least, rate in _TIME_DEPOSITS if least <= days]
    return reached[-1] if reached else _RATES["deposit-call"]


def products() -> Iterator[dict[str, Any]]:
    for one in PRODUCTS:
        told = {
            "product": one.id,
            "product_class": one.product_class,
            "title": {"zh": one.zh, "en": one.en},
            "currency": "CNY",
            "risk_level": one.risk,
            "least_amount": money(one.least * 100),
        }
        yield told | ({"rate": one.rate} if one.rate else {})


def interest_rates() -> Iterator[dict[str, Any]]:
    for name, rate, term, zh, en in _INTEREST:
        told = {"interest_rate": name, "rate": rate, "currency": "CNY"}
        title = {"title": {"zh": zh, "en": en}}
        yield told | ({"term_months": term} if term else {}) | title


def exchange_rates() -> Iterator[dict[str, Any]]:
    """Units of the base currency for one unit of each other currency."""
    for currency, hundredths in RATES.items():
        if currency != "CNY":
            yield {"exchange_rate": currency, "rate": money(hundredths)}
