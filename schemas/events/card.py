"""`bank.card`: cards, what is paid with them, their limits and statements."""

from typing import Annotated, Literal

from msgspec import Meta

from schemas.envelope import Data, Event, TakesBack
from schemas.fields import Country, Currency, Day, Id, Money, Name

CategoryCode = Annotated[str, Meta(pattern=r"^\d{4}\Z")]
"""Merchant category code, ISO 18245."""


class CardEvent(Event, frozen=True):
    topic = "bank.card"


class CardIssuedData(Data, kw_only=True, frozen=True):
    card: Id
    product: Name
    limit: Money | None = None
    currency: Currency


class CardIssued(CardEvent, tag="card.issued", frozen=True):
    data: CardIssuedData


class PaymentData(Data, kw_only=True, frozen=True):
    card: Id
    payment: Id
    amount: Money
    currency: Currency
    base_amount: Money | None = None
    merchant: Name | None = None
    category: CategoryCode
    country: Country
    presence: Literal["present", "online", "phone", "recurring"]


class CardAuthorised(CardEvent, tag="card.authorised", frozen=True):
    data: PaymentData


class CardSettled(CardEvent, tag="card.settled", frozen=True):
    data: PaymentData


class CardDeclinedData(PaymentData, kw_only=True, frozen=True):
    reason: Name


class CardDeclined(CardEvent, tag="card.declined", frozen=True):
    data: CardDeclinedData


class CardReversed(CardEvent, tag="card.reversed", frozen=True):
    takes_back = TakesBack(("card.authorised", "card.settled"), ("payment",), in_parts=True)

    data: PaymentData


class CardLimitData(Data, kw_only=True, frozen=True):
    card: Id
    limit: Money
    previous: Money | None = None
    currency: Currency
    temporary_until: Day | None = None


class CardLimitChanged(CardEvent, tag="card.limit_changed", frozen=True):
    data: CardLimitData


class StatementData(Data, kw_only=True, frozen=True):
    card: Id
    statement: Id
    amount_due: Money
    currency: Currency
    due_on: Day


class StatementIssued(CardEvent, tag="statement.issued", frozen=True):
    data: StatementData


CardEvents = (
    CardIssued
    | CardAuthorised
    | CardSettled
    | CardDeclined
    | CardReversed
    | CardLimitChanged
    | StatementIssued
)
