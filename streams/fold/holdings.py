"""Wealth products, funds, insurances: what was bought less what was redeemed."""

from decimal import Decimal

from schemas.events.core import ProductData
from schemas.profile import Holding, ProfileSection
from streams import history
from streams.base_amounts import told
from streams.fold.bounded import cut, key_of, trim
from streams.months import Moment

MAX_HOLDINGS = 40


def purchased(profile: ProfileSection, data: ProductData, when: Moment) -> None:
    _change(profile, data, when, data.amount, told(data.base_amount))


def redeemed(profile: ProfileSection, data: ProductData, when: Moment) -> None:
    _change(profile, data, when, -data.amount, -told(data.base_amount))


def _change(
    profile: ProfileSection, data: ProductData, when: Moment, amount: Decimal, base: Decimal
) -> None:
    holding = profile.holdings.setdefault(key_of(data.holding), Holding())
    holding.amount += amount
    holding.base_amount += base
    holding.history = history.change(holding.history, when, base)
    if when.at >= holding.changed_at:
        holding.product = cut(data.product)
        holding.product_class = cut(data.product_class)
        holding.currency = data.currency
        holding.risk_level, holding.matures_on = data.risk_level, data.matures_on
        holding.changed_at = when.at
    trim(profile.dropped, "holdings", profile.holdings, MAX_HOLDINGS, _rank)


def _rank(holding: Holding) -> tuple[bool, int]:
    return holding.base_amount > 0, holding.changed_at
