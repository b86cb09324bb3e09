"""What a task or an alert brings along, made of the record as it is in the step."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from schemas.activity import unpack_behaviour, unpack_line
from schemas.attachments import (
    AssetSummary,
    Attachment,
    Attachments,
    Maturity,
    PreferenceAnalysis,
    RecentContact,
)
from schemas.envelope import from_millis
from schemas.profile import ProfileSection
from schemas.record import Record
from streams.assets import NOTHING, worth
from streams.attributes import Attributes
from streams.context import CoreSettings
from streams.fold.interests import benefit_of
from streams.months import month_name
from streams.portrait.merchant_categories import category_name

MOST = 10
"""Of everything that can be many; interests, tags and attributes are bounded by the record."""

N = TypeVar("N", int, Decimal)


def attachments(
    record: Record, wanted: Collection[Attachment], at: int, settings: CoreSettings
) -> Attachments | None:
    """Those that are wanted, as of a time in epoch milliseconds; None if none is."""
    if not wanted:
        return None
    today = from_millis(at).astimezone(settings.time_zone).date()
    return Attachments(
        preference_analysis=_preferences(record, settings.attributes)
        if "preference_analysis" in wanted
        else None,
        asset_summary=_assets(record, today) if "asset_summary" in wanted else None,
        recent_contacts=_contacts(record) if "recent_contacts" in wanted else None,
    )


def _preferences(record: Record, attributes: Attributes) -> PreferenceAnalysis:
    profile, visits = record.profile, record.activity.visits
    interests = profile.interests
    held = [one for one in profile.holdings.values() if one.amount > 0]
    products: dict[str, Decimal] = {}
    for one in held:
        kind = one.product_class or "product"
        products[kind] = products.get(kind, NOTHING) + one.base_amount
    uses: dict[str, int] = {}
    for key, benefit in profile.benefits.items():
        name = benefit_of(key, benefit)
        uses[name] = uses.get(name, 0) + benefit.count
    return PreferenceAnalysis(
        interests=sorted(interests, key=lambda name: (-interests[name].at, name)),
        tags=sorted(profile.tags),
        pages=_most(visits.by_topic),
        categories=[*map(category_name, unpack_behaviour(record.activity.behaviour).categories)],
        base_products=_most(products),
        highest_risk=max((one.risk_level for one in held if one.risk_level), default=None),
        benefits=_most(uses),
        channels=_most(visits.by_channel),
        attributes=attributes.public_texts(profile.attributes),
    )


def _assets(record: Record, today: date) -> AssetSummary:
    sums, seen = worth(record).totals, unpack_behaviour(record.activity.behaviour)
    by_month, _ = worth(record).months(seen.month)
    ahead = [one for one in _maturities(record.profile) if _day(one.on) >= today]
    return AssetSummary(
        base_assets=sums.assets,
        base_net=sums.net,
        base_balance=sums.balance,
        base_deposits=sums.base_deposits,
        base_wealth=sums.wealth,
        base_funds=sums.funds,
        base_insurance=sums.insurance,
        base_other=sums.other,
        base_loans=sums.base_loans,
        assets_by_month={month_name(month): total for month, total in by_month.items()},
        regular_inflow=sum((one.amount for one in seen.regular), NOTHING),
        maturities=sorted(ahead, key=lambda one: (one.on, one.what, one.name))[:MOST],
    )


def _maturities(profile: ProfileSection) -> Iterator[Maturity]:
    """Of whatever is open and has a day."""
    for name, deposit in profile.deposits.items():
        if deposit.state == "open" and deposit.matures_on:
            yield _due("deposit", name, deposit.base_principal, deposit.matures_on)
    for holding in profile.holdings.values():
        if holding.amount > 0 and holding.matures_on:
            yield _due("holding", holding.product, holding.base_amount, holding.matures_on)
    for name, loan in profile.loans.items():
        if loan.amount > 0 and loan.due_on:
            yield _due("loan", name, loan.base_amount, loan.due_on)


def _due(what: Any, name: str, amount: Decimal, on: str) -> Maturity:
    return Maturity(what=what, name=name, base_amount=amount, on=on)


def _day(text: str) -> date:
    """A record may be older than the check that every day is one."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min


def _contacts(record: Record) -> list[RecentContact]:
    return [
        RecentContact(
            time=from_millis(one.at),
            type=one.type,
            channel=one.channel,
            about=one.about,
            name=one.name,
            result=one.result,
        )
        for one in reversed(unpack_line(record.activity.line)[-MOST:])
    ]


def _most(amounts: Mapping[str, N]) -> dict[str, N]:
    return dict(sorted(amounts.items(), key=lambda one: (-one[1], one[0]))[:MOST])
