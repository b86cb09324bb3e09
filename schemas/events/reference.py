"""The global topics: facts that hold for every customer, the last of each in force.

A fact's `subject` is its kind and its own id, such as `exchange_rate:USD`; it is the Kafka key too,
so that a compacted topic keeps the last of each. A message without a value takes a fact away.
Here are those of `bank.reference` and `bank.org`.
"""

from typing import get_args

from schemas.envelope import Data
from schemas.events.campaign import AnyBroadcast
from schemas.events.fact import Fact
from schemas.fields import Country, Currency, Day, Id, Money, Name, PersonalText, Rate, Whole

Titles = dict[str, Name]
"""Language (zh, en, …) → what a person reads."""


class ReferenceFact(Fact, frozen=True):
    topic = "bank.reference"


class ExchangeRateData(Data, kw_only=True, frozen=True):
    exchange_rate: Currency
    rate: Rate
    """Units of the bank's base currency for one of this currency."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rate <= 0:
            raise ValueError("rate is not above zero")


class ExchangeRateSet(ReferenceFact, tag="exchange_rate.set", frozen=True):
    data: ExchangeRateData


class InterestRateData(Data, kw_only=True, frozen=True):
    interest_rate: Id
    """Such as `mortgage` or `deposit-12m`."""
    rate: Rate
    currency: Currency | None = None
    term_months: Whole | None = None
    title: Titles | None = None


class InterestRateSet(ReferenceFact, tag="interest_rate.set", frozen=True):
    data: InterestRateData


class ProductFactData(Data, kw_only=True, frozen=True):
    product: Id
    product_class: Name
    """wealth, fund, insurance, private-equity, …"""
    title: Titles
    currency: Currency | None = None
    risk_level: Whole | None = None
    rate: Rate | None = None
    least_amount: Money | None = None
    offered_from: Day | None = None
    offered_until: Day | None = None


class ProductSet(ReferenceFact, tag="product.set", frozen=True):
    data: ProductFactData


class BranchData(Data, kw_only=True, frozen=True):
    branch: Id
    title: Titles
    city: Name | None = None
    country: Country | None = None


class BranchSet(ReferenceFact, tag="branch.set", frozen=True):
    data: BranchData


class OrganisationFact(Fact, frozen=True):
    topic = "bank.org"


class TeamData(Data, kw_only=True, frozen=True):
    team: Id
    title: Titles
    branch: Id | None = None
    lead: Id | None = None
    """The RM who leads it."""


class TeamSet(OrganisationFact, tag="team.set", frozen=True):
    data: TeamData


class RmData(Data, kw_only=True, frozen=True):
    rm: Id
    name: PersonalText | None = None
    team: Id | None = None
    branch: Id | None = None
    languages: tuple[Name, ...] = ()
    skills: tuple[Name, ...] = ()
    deputy: Id | None = None
    """The RM who stands in while no absence names another."""
    active: bool = True


class RmSet(OrganisationFact, tag="rm.set", frozen=True):
    data: RmData


class AbsenceData(Data, kw_only=True, frozen=True):
    absence: Id
    rm: Id
    first_day: Day
    last_day: Day
    deputy: Id | None = None
    reason: Name | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.last_day < self.first_day:
            raise ValueError("last_day is before first_day")


class AbsenceSet(OrganisationFact, tag="absence.set", frozen=True):
    data: AbsenceData


AnySet = ExchangeRateSet | InterestRateSet | ProductSet | BranchSet | TeamSet | RmSet | AbsenceSet
AnyFact = AnySet | AnyBroadcast

FACT_TYPES: dict[str, type[Fact]] = {cls.event_type(): cls for cls in get_args(AnyFact)}
"""CloudEvents `type` → its struct, in the order of the topics."""

TOPIC_OF_KIND = {fact.kind(): fact.topic for fact in FACT_TYPES.values()}

GLOBAL_TOPICS = tuple(dict.fromkeys(cls.topic for cls in FACT_TYPES.values()))
"""What holds for every customer: one partition each, read whole by every worker."""
