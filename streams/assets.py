"""What a customer has with the bank in its base currency: totals, and how they were by month.

An account counts while it is open, a deposit with what is left of it. A holding counts with what
was paid for what is held of it, not with its market value, and never with less than nothing; so
does what is owed of a loan. Whether something is held is judged in its own currency. Loans are no
assets: `net` is assets less loans.
"""

from collections.abc import Collection, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from schemas.profile import Account, ProfileSection
from schemas.record import Record
from streams import history, moves
from streams.fold.accounts import is_open

NOTHING = Decimal(0)
_CLASSES = {
    "wealth": "wealth",
    "fund": "funds",
    "funds": "funds",
    "insurance": "insurance",
}
"""Product class → the total that it belongs to; all others are `other`."""


class Totals(NamedTuple):
    """How many are open, and their sums in the base currency."""

    accounts: int = 0
    balance: Decimal = NOTHING
    deposits: int = 0
    base_deposits: Decimal = NOTHING
    holdings: int = 0
    wealth: Decimal = NOTHING
    funds: Decimal = NOTHING
    insurance: Decimal = NOTHING
    other: Decimal = NOTHING
    loans: int = 0
    base_loans: Decimal = NOTHING

    @property
    def assets(self) -> Decimal:
        products = self.wealth + self.funds + self.insurance + self.other
        return self.balance + self.base_deposits + products

    @property
    def net(self) -> Decimal:
        return self.assets - self.base_loans


class Worth:
    """The totals of a record's profile and its months, each reckoned when first asked for."""

    __slots__ = ("_months", "_newest", "_profile", "_totals")

    def __init__(self, profile: ProfileSection) -> None:
        self._profile = profile
        self._totals: Totals | None = None
        self._newest = -1
        self._months: tuple[dict[int, Decimal], dict[int, Decimal]] = {}, {}

    @property
    def totals(self) -> Totals:
        if self._totals is None:
            self._totals = totals(self._profile)
        return self._totals

    def months(self, newest: int) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
        """Assets and loans by month."""
        if newest != self._newest:
            profile, sums = self._profile, self.totals
            assets = assets_by_month(profile, newest, sums.assets)
            self._months = assets, loans_by_month(profile, newest, sums.base_loans)
            self._newest = newest
        return self._months


def worth(record: Record) -> Worth:
    """Kept with the record until its assets are edited: most events change nothing of it, and rules
    may ask for it at every one."""
    kept: Worth | None = record.worth
    if kept is None:
        kept = record.worth = Worth(record.profile)
    return kept


def totals(profile: ProfileSection) -> Totals:
    accounts = [one.base_balance for one in profile.accounts.values() if is_open(one)]
    deposits = [one.base_principal for one in profile.deposits.values() if one.state == "open"]
    loans = [one.base_amount for one in profile.loans.values() if one.amount > 0]
    products = dict.fromkeys(("wealth", "funds", "insurance", "other"), NOTHING)
    held = [one for one in profile.holdings.values() if one.amount > 0]
    for one in held:
        products[_CLASSES.get(one.product_class, "other")] += one.base_amount
    return Totals(
        accounts=len(accounts),
        balance=sum(accounts, NOTHING),
        deposits=len(deposits),
        base_deposits=sum(deposits, NOTHING),
        holdings=len(held),
        loans=len(loans),
        base_loans=sum(loans, NOTHING),
        **products,
    )


def assets_by_month(profile: ProfileSection, newest: int, now: Decimal) -> dict[int, Decimal]:
    """The assets at the ends of the last months, the oldest first; of `newest` as they are `now`.

    Months before anything was known are left out.
    """
    things = [one.moves for one in profile.deposits.values()]
    things += [one.moves for one in profile.holdings.values()]
    return _by_month(profile.accounts.values(), things, newest, now)


def loans_by_month(profile: ProfileSection, newest: int, now: Decimal) -> dict[int, Decimal]:
    """What was owed likewise; nothing of somebody who never had a loan."""
    if not profile.loans:
        return {}
    return _by_month((), [one.moves for one in profile.loans.values()], newest, now)


def _by_month(
    accounts: Collection[Account], things: Sequence[bytes], newest: int, now: Decimal
) -> dict[int, Decimal]:
    first = newest - history.MONTHS + 1
    begun = newest
    differences = [0] * (newest - first)
    for account in accounts:
        words = account.history
        if words and (month := history.first_month(words)) < newest:
            begun = min(begun, month)
            openness = b"" if account.closed_at is None else account.openness
            history.add_differences(words, openness, first, differences)
    for thing in things:
        if thing and (month := history.first_month(thing)) < newest:  # likewise first in these
            begun = min(begun, month)
            moves.add_differences(thing, first, differences)
    told = enumerate(accumulate(differences), first)
    known = {month: history.amount(units) for month, units in told if month >= begun}
    known[newest] = now
    return known
