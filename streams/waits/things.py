"""The things of a customer that have a date which rules wait for: a deposit, a loan, a card's bill.

One is told of in events. Here is how each kind is found in the record, and how its event would tell
it as it is now.
"""

from collections.abc import Callable, Iterable, Mapping
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
    names: Callable[[ProfileSection], Iterable[str]]
    """Of all that there are, of those that ended, too."""
    find: Callable[[ProfileSection, str], Any]
    """The thing of a name; None where there is none (any more)."""
    day: Callable[[Any], str | None]
    """Its date."""
    tell: Callable[[str, Any], Data]
    """It, as its event would tell it now."""

    @property
    def types(self) -> tuple[str, ...]:
        return *self.sets, *self.others


def _deposit(profile: ProfileSection, name: str) -> Deposit | None:
    deposit = profile.deposits.get(name)
    return deposit if deposit is not None and deposit.state == "open" else None


def _tell_deposit(name: str, deposit: Deposit) -> DepositData:
    return DepositData(
        deposit=name,
        principal=deposit.principal,
        currency=deposit.currency,
        base_principal=deposit.base_principal,
        rate=deposit.rate,
        matures_on=deposit.matures_on,
    )


def _holding(profile: ProfileSection, name: str) -> Holding | None:
    holding = profile.holdings.get(name)
    return holding if holding is not None and holding.amount > 0 else None


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


def _loan(profile: ProfileSection, name: str) -> Loan | None:
    loan = profile.loans.get(name)
    return loan if loan is not None and loan.amount > 0 else None


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


def _bill(profile: ProfileSection, name: str) -> Card | None:
    card = profile.cards.get(name)
    return card if card is not None and card.amount_due > 0 else None


def _tell_bill(name: str, card: Card) -> StatementData:
    return StatementData(
        card=name,
        statement=card.statement,
        amount_due=card.amount_due,
        currency=card.statement_currency,
        due_on=card.due_on or "",
    )


def _limit(profile: ProfileSection, name: str) -> Card | None:
    card = profile.cards.get(name)
    return card if card is not None and card.limit is not None else None


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
        names=lambda profile: profile.deposits,
        find=_deposit,
        day=lambda deposit: deposit.matures_on,
        tell=_tell_deposit,
    ),
    Kind(
        name="holdings",
        sets=("product.purchased",),
        others=("product.redeemed",),
        id="holding",
        date="matures_on",
        names=lambda profile: profile.holdings,
        find=_holding,
        day=lambda holding: holding.matures_on,
        tell=_tell_holding,
    ),
    Kind(
        name="loans",
        sets=("loan.drawn", "loan.repaid"),
        others=(),
        id="loan",
        date="due_on",
        names=lambda profile: profile.loans,
        find=_loan,
        day=lambda loan: loan.due_on,
        tell=_tell_loan,
    ),
    Kind(
        name="statements",
        sets=("statement.issued",),
        others=("card.issued", "card.limit_changed"),
        id="card",
        date="due_on",
        names=lambda profile: profile.cards,
        find=_bill,
        day=lambda card: card.due_on,
        tell=_tell_bill,
    ),
    Kind(
        name="limits",
        sets=("card.limit_changed",),
        others=("card.issued", "statement.issued"),
        id="card",
        date="temporary_until",
        names=lambda profile: profile.cards,
        find=_limit,
        day=lambda card: card.limit_until,
        tell=_tell_limit,
    ),
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}
KIND_OF = {event_type: kind for kind in _ALL for event_type in kind.sets}
"""By the event types after which a rule can wait: none of them tells two dates."""
