"""What a rule attaches to a task or an alert: the part of the customer's record that helps with it.

All of it is bounded, and nothing of it identifies a person: sensitive attributes are left out.
"""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from schemas.fields import Instant, Money, Name

Attachment = Literal["preference_analysis", "asset_summary", "recent_contacts"]


class PreferenceAnalysis(Struct, frozen=True, kw_only=True, gc=False):
    """What the customer cares about, the most of it first. `base_` amounts are in the bank's base
    currency."""

    interests: list[str]
    """The newest first."""
    tags: list[str]
    """Sorted."""
    pages: dict[str, int]
    """Topic → views, since the record began."""
    categories: list[str]
    """Merchant categories with the highest spending of the last three whole months."""
    base_products: dict[str, Money]
    """Product class → what is held of it."""
    highest_risk: int | None
    """Of what is held."""
    benefits: dict[str, int]
    """Benefit → uses."""
    channels: dict[str, int]
    """Channel → logins."""
    attributes: dict[str, str]
    """The bank's own fields, as vip.profiles has them."""


class Maturity(Struct, frozen=True, kw_only=True, gc=False):
    what: Literal["deposit", "holding", "loan"]
    name: Name
    """Of the deposit or the loan; the product that is held."""
    base_amount: Money
    on: str


class AssetSummary(Struct, frozen=True, kw_only=True, gc=False):
    """In the base currency."""

    base_assets: Money
    base_net: Money
    base_balance: Money
    base_deposits: Money
    base_wealth: Money
    base_funds: Money
    base_insurance: Money
    base_other: Money
    base_loans: Money
    assets_by_month: dict[str, Money]
    """At the ends of the last months, the oldest first; of the newest as they are now."""
    regular_inflow: Money = Decimal(0)
    """In a month."""
    maturities: list[Maturity] = []
    """What is due next."""


class RecentContact(Struct, frozen=True, kw_only=True, gc=False):
    """An entry of the service line."""

    time: Instant
    type: Name
    channel: str
    about: str
    name: str
    """Of the case, call, survey or task that it is about."""
    result: str


class Attachments(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Those that were asked for."""

    preference_analysis: PreferenceAnalysis | None = None
    asset_summary: AssetSummary | None = None
    recent_contacts: list[RecentContact] | None = None
    """The newest first."""
