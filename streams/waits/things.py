"""The things of a customer that have a date which rules wait for: a deposit, a loan, a card's bill.

One is told of in events. Here is how each kind is found in the record, and how its event would tell
it as it is now.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from schemas.envelope import Data
from schemas.events.card import CardLimitData, StatementData
from schemas.events.core import DepositData, LoanData, ProductData
from schemas.profile import Card, Deposit, Holding, Loan, ProfileSection
from streams.timers import DEPOSITS


class Kind(NamedTuple):
    name: str
    sets: tuple[str, ...]
    """The event types after which a rule can wait."""
    others: tuple[str, ...]
    """Those that can move the date or end the thing, besides."""
    id: str
    """The event's field that names the thing."""
    date: str
    """The event's field that holds the date."""
    held: Callable[[ProfileSection], Mapping[str, Any]]
    """By name, those that ended, too."""
    is_open: Callable[[Any], bool]
    """Whether there is anything to wait for (any more)."""
    day: Callable[[Any], str | None]
    """Its date."""
    tell: Callable[[str, Any], Data]
    """It, as its event would tell it now."""

    @property
    def types(self) -> tuple[str, ...]:
        return *self.sets, *self.others

    def find(self, profile: ProfileSection, name: str) -> Any:
        """The thing of a name; None where there is none (any more)."""
        thing = self.held(profile).get(name)
        return thing if thing is not None and self.is_open(thing) else None


def _tell_deposit(name: str, deposit: Deposit) -> DepositData:
    return DepositData(
        deposit=name,
        principal=deposit.principal,
        currency=deposit.currency,
        base_principal=deposit.base_principal,
        rate=deposit.rate,
        matures_on=deposit.matures_on,
    )


def _tell_holding(name: str, holding: Holding) -> ProductData:
    return ProductData(
        holding=name,
        product=holding.product,
        product_class=holding.product_class,
        amount=holding.amount,
        currency=holding.currency,
        base_amount=holding.base_amount,
        risk_level=holding.risk_level,
        matures_on=holding.matures_on,
    )


def _tell_loan(name: str, loan: Loan) -> LoanData:
    return LoanData(
        loan=name,
        kind=loan.kind,
        amount=loan.amount,
        currency=loan.currency,
        base_amount=loan.base_amount,
        rate=loan.rate,
        due_on=loan.due_on,
    )


def _tell_bill(name: str, card: Card) -> StatementData:
    return StatementData(
        card=name,
        statement=card.statement,
        amount_due=card.amount_due,
        currency=card.statement_currency,
        due_on=card.due_on or "",
    )


def _tell_limit(name: str, card: Card) -> CardLimitData:
    assert card.limit is not None, "it was found by that"
    return CardLimitData(
        card=name,
        limit=card.limit,
        previous=card.standing,
        currency=card.limit_currency,
        temporary_until=card.limit_until,
    )


_ALL = (
    Kind(
        name=DEPOSITS,
        sets=("deposit.placed", "deposit.renewed"),
        others=("deposit.redeemed",),
        id="deposit",
        date="matures_on",
        held=lambda profile: profile.deposits,
        is_open=lambda deposit: deposit.state == "open",
        day=lambda deposit: deposit.matures_on,
        tell=_tell_deposit,
    ),
    Kind(
        name="holdings",
        sets=("product.purchased",),
        others=("product.redeemed",),
        id="holding",
        date="matures_on",
        held=lambda profile: profile.holdings,
        is_open=lambda holding: holding.amount > 0,
        day=lambda holding: holding.matures_on,
        tell=_tell_holding,
    ),
    Kind(
        name="loans",
        sets=("loan.drawn", "loan.repaid"),
        others=(),
        id="loan",
        date="due_on",
        held=lambda profile: profile.loans,
        is_open=lambda loan: loan.amount > 0,
        day=lambda loan: loan.due_on,
        tell=_tell_loan,
    ),
    Kind(
        name="statements",
        sets=("statement.issued",),
        others=("card.issued", "card.limit_changed"),
        id="card",
        date="due_on",
        held=lambda profile: profile.cards,
        is_open=lambda card: card.amount_due > 0,
        day=lambda card: card.due_on,
        tell=_tell_bill,
    ),
    Kind(
        name="limits",
        sets=("card.limit_changed",),
        others=("card.issued", "statement.issued"),
        id="card",
        date="temporary_until",
        held=lambda profile: profile.cards,
        is_open=lambda card: card.limit is not None,
        day=lambda card: card.limit_until,
        tell=_tell_limit,
    ),
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}
KIND_OF = {event_type: kind for kind in _ALL for event_type in kind.sets}
"""By the event types after which a rule can wait: none of them tells two dates."""
