"""Products: what was bought less what was redeemed. Loans: what was drawn less what was repaid.

What a word on a thing leaves out stays as the last one that told it has it.
"""

from decimal import Decimal

from schemas.events.core import LoanData, LoanRepaidData, ProductData, ProductRedeemedData
from schemas.profile import NEVER, Holding, Loan, ProfileSection
from streams import moves
from streams.base_amounts import told
from streams.fold.bounded import cut, key_of, trim
from streams.months import Moment
from streams.moves import Kind

MAX_HOLDINGS = 40
MAX_LOANS = 25


def purchased(profile: ProfileSection, data: ProductData, when: Moment) -> None:
    _hold(profile, data, when, 1)


def redeemed(profile: ProfileSection, data: ProductRedeemedData, when: Moment) -> None:
    _hold(profile, data, when, -1)


def drawn(profile: ProfileSection, data: LoanData, when: Moment) -> None:
    _owe(profile, data, when, 1)


def repaid(profile: ProfileSection, data: LoanRepaidData, when: Moment) -> None:
    _owe(profile, data, when, -1)


def _hold(profile: ProfileSection, data: ProductData, when: Moment, sign: int) -> None:
    holding = profile.holdings.setdefault(key_of(data.holding), Holding())
    _tell(holding, "risk_level", data.risk_level, when)
    _tell(holding, "matures_on", data.matures_on, when)
    if _change(holding, data, when, sign):
        holding.product, holding.last_change = cut(data.product), sign * data.amount
        holding.product_class = cut(data.product_class)
    trim(profile.dropped, "holdings", profile.holdings, MAX_HOLDINGS, _rank)


def _owe(profile: ProfileSection, data: LoanData, when: Moment, sign: int) -> None:
    loan = profile.loans.setdefault(key_of(data.loan), Loan())
    _tell(loan, "rate", data.rate, when)
    _tell(loan, "due_on", data.due_on, when)
    if _change(loan, data, when, sign):
        loan.kind, loan.last_change = cut(data.kind), sign * data.amount
    trim(profile.dropped, "loans", profile.loans, MAX_LOANS, _rank)


def _tell(thing: Holding | Loan, name: str, value: object, when: Moment) -> None:
    """Before the word itself is counted in: what it tells of a field, if anything."""
    age = f"{name}_age"
    is_known = getattr(thing, name) is not None
    told_at = thing.changed_at - getattr(thing, age) if is_known else NEVER
    if value is not None and (not is_known or when.at >= told_at):
        setattr(thing, name, value)
        is_known, told_at = True, when.at
    setattr(thing, age, max(thing.changed_at, when.at) - told_at if is_known else 0)


def _change(thing: Holding | Loan, data: ProductData | LoanData, when: Moment, sign: int) -> bool:
    """Count a change in. True if it is the last word on the thing."""
    base, left = told(data.base_amount), getattr(data, "left", None)
    if left is None:
        change = Kind.CHANGE, sign * data.amount, sign * base
    else:
        change = Kind.LEFT, left, base * left / data.amount if data.amount else Decimal(0)
    thing.moves = moves.add(thing.moves, when, *change)
    thing.amount, thing.base_amount = moves.held(thing.moves)
    if when.at < thing.changed_at:
        return False
    thing.currency, thing.changed_at = data.currency, when.at
    return True


def _rank(thing: Holding | Loan) -> tuple[bool, int]:
    return thing.amount > 0, thing.changed_at
