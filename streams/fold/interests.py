"""Interests and where they are known from; benefits and what they cost."""

from decimal import Decimal

from schemas.events.core import BenefitData, InterestData
from schemas.profile import Benefit, Interest, ProfileSection
from streams.fold.bounded import cut, gather, trim
from streams.months import Moment

MAX_INTERESTS = 30
MAX_BENEFITS = 30


def recorded(profile: ProfileSection, data: InterestData, when: Moment) -> None:
    interests = profile.interests
    name = cut(data.interest)
    kept = interests.get(name)
    if kept is None or when.at >= kept.at:
        source = None if data.given_by is None else cut(data.given_by)
        interests[name] = Interest(at=when.at, source=source)
        trim(profile.dropped, "interests", interests, MAX_INTERESTS, lambda one: one.at)


def used(profile: ProfileSection, data: BenefitData, when: Moment) -> None:
    benefits = profile.benefits
    paid = data.cost is not None and data.currency is not None
    name = f"{cut(data.benefit)} {data.currency}" if paid else cut(data.benefit)
    one = Benefit(count=1, last_at=when.at)
    if data.cost is not None and paid:
        one.cost = data.cost
    if data.base_cost is not None:
        one.base_cost = data.base_cost
    kept = benefits.get(name)
    benefits[name] = one if kept is None else _added(kept, one, kept.cost + one.cost)
    gather(benefits, name, MAX_BENEFITS, Benefit, _merged)


def _merged(one: Benefit, other: Benefit) -> Benefit:
    """Of unlike currencies, perhaps, so that only the base currency has a sum."""
    return _added(one, other, Decimal(0))


def _added(one: Benefit, other: Benefit, cost: Decimal) -> Benefit:
    return Benefit(
        count=one.count + other.count,
        cost=cost,
        base_cost=one.base_cost + other.base_cost,
        last_at=max(one.last_at, other.last_at),
    )
