"""The lists of a record as rules see them: what the customer has, each thing with its fields.

What ended is in none of them. A thing's times are days of the bank's time zone.
"""

from collections.abc import Callable
from datetime import tzinfo
from decimal import Decimal
from typing import Any, NamedTuple

from msgspec import Struct

from schemas.fields import Currency, Day, Money, Rate
from schemas.profile import NEVER
from schemas.record import Record
from streams.expressions.catalogue import Fields, fields_of
from streams.expressions.days import years_since
from streams.expressions.values import Number, quotient, total
from streams.fold.accounts import is_open
from streams.fold.cards import in_force
from streams.fold.interests import benefit_of
from streams.months import day_at


class Account(Struct, frozen=True, gc=False):
    account: str
    kind: str
    currency: Currency
    branch: str | None
    balance: Money
    base_balance: Money
    opened_on: Day | None


class Deposit(Struct, frozen=True, gc=False):
    deposit: str
    currency: Currency
    principal: Money
    base_principal: Money
    rate: Rate
    matures_on: Day
    placed_on: Day | None


class Holding(Struct, frozen=True, gc=False):
    holding: str
    product: str
    product_class: str
    currency: Currency
    amount: Money
    base_amount: Money
    risk_level: int | None
    matures_on: Day | None


class Loan(Struct, frozen=True, gc=False):
    loan: str
    kind: str
    currency: Currency
    amount: Money
    base_amount: Money
    rate: Rate | None
    due_on: Day | None


class Card(Struct, frozen=True, gc=False):
    card: str
    product: str
    currency: Currency
    limit: Money | None
    temporary_until: Day | None
    amount_due: Money
    statement_currency: Currency
    due_on: Day | None
    issued_on: Day | None


class Relation(Struct, frozen=True, gc=False):
    other: str
    relation: str
    reverse: bool
    """The other one named it: it is what the customer is to them."""


class Member(Struct, frozen=True, gc=False):
    relation: str
    customer: str | None
    age: int | None


class Interest(Struct, frozen=True, gc=False):
    interest: str
    given_by: str | None
    recorded_on: Day | None


class Benefit(Struct, frozen=True, gc=False):
    benefit: str
    currency: Currency
    count: int
    base_cost: Money
    used_on: Day | None


_Listed = Callable[[Record, int, tzinfo], list[Any]]
"""Of a record, a time (epoch milliseconds) and the bank's zone, what is there."""


class List(NamedTuple):
    struct: type[Struct]
    of: _Listed
    where_only: frozenset[str] = frozenset()
    """Fields that identify a person where they are shown: conditions alone see them."""

    @property
    def fields(self) -> Fields:
        return fields_of(self.struct)


def _day(at: int | None, zone: tzinfo) -> str | None:
    return None if at is None or at == NEVER else day_at(at, zone).isoformat()


def _accounts(record: Record, _at: int, zone: tzinfo) -> list[Account]:
    return [
        Account(
            name,
            one.kind,
            one.currency,
            one.branch,
            one.balance,
            one.base_balance,
            _day(one.opened_at, zone),
        )
        for name, one in record.profile.accounts.items()
        if is_open(one)
    ]


def _deposits(record: Record, _at: int, zone: tzinfo) -> list[Deposit]:
    return [
        Deposit(
            name,
            one.currency,
            one.principal,
            one.base_principal,
            one.rate,
            one.matures_on,
            _day(one.placed_at, zone),
        )
        for name, one in record.profile.deposits.items()
        if one.state == "open"
    ]


def _holdings(record: Record, _at: int, _zone: tzinfo) -> list[Holding]:
    return [
        Holding(
            name,
            one.product,
            one.product_class,
            one.currency,
            one.amount,
            one.base_amount,
            one.risk_level,
            one.matures_on,
        )
        for name, one in record.profile.holdings.items()
        if one.amount > 0
    ]


def _loans(record: Record, _at: int, _zone: tzinfo) -> list[Loan]:
    return [
        Loan(name, one.kind, one.currency, one.amount, one.base_amount, one.rate, one.due_on)
        for name, one in record.profile.loans.items()
        if one.amount > 0
    ]


def _cards(record: Record, at: int, zone: tzinfo) -> list[Card]:
    today = day_at(at, zone)
    return [
        Card(
            name,
            one.product,
            one.currency if one.limit is None else one.limit_currency,
            *in_force(one.limit, one.limit_until, one.standing, today),
            one.amount_due,
            one.statement_currency,
            one.due_on,
            _day(one.issued_at, zone),
        )
        for name, one in record.profile.cards.items()
    ]


def _relations(record: Record, _at: int, _zone: tzinfo) -> list[Relation]:
    told = (key.split(" ", 1) for key, one in record.profile.relations.items() if one.stands)
    return [
        Relation(other, relation.removeprefix("<"), relation.startswith("<"))
        for other, relation in told
    ]


def _family(record: Record, at: int, zone: tzinfo) -> list[Member]:
    return [
        Member(one.relation, one.customer, years_since(one.birthday, at, zone))
        for one in record.profile.basics.family or ()
    ]


def _interests(record: Record, _at: int, zone: tzinfo) -> list[Interest]:
    return [
        Interest(name, one.source, _day(one.at, zone))
        for name, one in record.profile.interests.items()
    ]


def _benefits(record: Record, _at: int, zone: tzinfo) -> list[Benefit]:
    return [
        Benefit(
            benefit_of(key, one), one.currency, one.count, one.base_cost, _day(one.last_at, zone)
        )
        for key, one in record.profile.benefits.items()
    ]


LISTS = {
    "accounts": List(Account, _accounts),
    "deposits": List(Deposit, _deposits),
    "holdings": List(Holding, _holdings),
    "loans": List(Loan, _loans),
    "cards": List(Card, _cards),
    "relations": List(Relation, _relations),
    "family": List(Member, _family, frozenset(("age",))),
    "interests": List(Interest, _interests),
    "benefits": List(Benefit, _benefits),
}


def listed(record: Record, name: str, at: int, zone: tzinfo) -> list[Any]:
    """What a list has at a time (epoch milliseconds)."""
    return LISTS[name].of(record, at, zone)


def _mean(found: list[Number | None]) -> Decimal | None:
    some = [one for one in found if one is not None]
    return quotient(total(some), len(some))


def _known(found: list[Any]) -> list[Any]:
    return [one for one in found if one is not None]


MADE: dict[str, Callable[[list[Any]], Any]] = {
    "any": bool,
    "count": len,
    "sum": lambda found: total(_known(found)),
    "avg": _mean,
    "min": lambda found: min(_known(found), default=None),
    "max": lambda found: max(_known(found), default=None),
    "distinct": lambda found: len({*_known(found)}),
}
"""Function → what it makes of the values of those for which a condition is true; what is unknown
adds nothing."""
