"""Interests and where they are known from; benefits and what they cost."""

from decimal import Decimal

from msgspec.structs import replace

from schemas.events.core import BenefitData, InterestData
from schemas.profile import Benefit, Interest, ProfileSection
from streams.fold.bounded import cut, gather, trim
from streams.months import Moment

MAX_INTERESTS = 30
MAX_BENEFITS = 30


def recorded(profile: ProfileSection, data: InterestData, when: Moment) -> None:
    source = None if data.given_by is None else cut(data.given_by)
    record_interest(profile, cut(data.interest), source, when.at)


def record_interest(profile: ProfileSection, name: str, source: str | None, at: int) -> None:
    interests = profile.interests
    kept = interests.get(name)
    if kept is None or at >= kept.at:
        interests[name] = Interest(at=at, source=source)
        trim(profile.dropped, "interests", interests, MAX_INTERESTS, lambda one: one.at)


def used(profile: ProfileSection, data: BenefitData, when: Moment) -> None:
    benefits = profile.benefits
    key = cut(data.benefit)
    one = Benefit(count=1, last_at=when.at, base_cost=data.base_cost or Decimal(0))
    if data.cost is not None and data.currency is not None:
        key += f" {data.currency}"
        one.cost, one.currency = data.cost, data.currency
    kept = benefits.get(key)
    if kept is not None:
        currency = kept.currency or one.currency
        one = replace(_added(kept, one), cost=kept.cost + one.cost, currency=currency)
    benefits[key] = one
    gather(benefits, key, MAX_BENEFITS, Benefit, _added)


def benefit_of(key: str, benefit: Benefit) -> str:
    """The benefit's own name."""
    return key.removesuffix(f" {benefit.currency}") if benefit.currency else key


def _added(one: Benefit, other: Benefit) -> Benefit:
    """Their currencies may differ, so that there is no cost but in the base currency."""
    return Benefit(
        count=one.count + other.count,
        base_cost=one.base_cost + other.base_cost,
        last_at=max(one.last_at, other.last_at),
    )
