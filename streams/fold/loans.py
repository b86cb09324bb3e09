"""Loans: what was drawn less what was repaid."""

from decimal import Decimal

from schemas.events.core import LoanData
from schemas.profile import Loan, ProfileSection
from streams import history
from streams.base_amounts import told
from streams.fold.bounded import cut, key_of, trim
from streams.months import Moment

MAX_LOANS = 25


def drawn(profile: ProfileSection, data: LoanData, when: Moment) -> None:
    _change(profile, data, when, data.amount, told(data.base_amount))


def repaid(profile: ProfileSection, data: LoanData, when: Moment) -> None:
    _change(profile, data, when, -data.amount, -told(data.base_amount))


def _change(
    profile: ProfileSection, data: LoanData, when: Moment, amount: Decimal, base: Decimal
) -> None:
    loan = profile.loans.setdefault(key_of(data.loan), Loan())
    loan.amount += amount
    loan.base_amount += base
    loan.history = history.change(loan.history, when, base)
    if when.at >= loan.changed_at:
        loan.kind, loan.currency = cut(data.kind), data.currency
        loan.rate, loan.due_on = data.rate, data.due_on
        loan.changed_at = when.at
    trim(profile.dropped, "loans", profile.loans, MAX_LOANS, _rank)


def _rank(loan: Loan) -> tuple[bool, int]:
    return loan.base_amount > 0, loan.changed_at
