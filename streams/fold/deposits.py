"""Time deposits: placed, renewed, redeemed."""

from decimal import Decimal

from schemas.events.core import DepositData, DepositRedeemedData
from schemas.profile import Deposit, ProfileSection
from streams import history
from streams.base_amounts import told
from streams.fold.bounded import key_of, trim
from streams.months import Moment

MAX_DEPOSITS = 150
"""One that falls off takes its timers along, so this is more than a customer is likely to have. Of
the record's limit a deposit takes about 150 bytes, and 190 for each rule that waits for it."""


def placed(profile: ProfileSection, data: DepositData, when: Moment) -> None:
    """Placing and renewing both say the whole deposit as it is from then on."""
    deposit = _deposit(profile, data.deposit)
    base = told(data.base_principal)
    deposit.history = history.tell(deposit.history, when, base)
    if when.at >= deposit.placed_at:
        deposit.principal, deposit.currency = data.principal, data.currency
        deposit.base_principal, deposit.rate = base, data.rate
        deposit.matures_on, deposit.placed_at = data.matures_on, when.at
    if when.at >= deposit.changed_at:
        deposit.state, deposit.changed_at, deposit.early = "open", when.at, False
    _trim(profile)


def redeemed(profile: ProfileSection, data: DepositRedeemedData, when: Moment) -> None:
    deposit = _deposit(profile, data.deposit)
    deposit.history = history.tell(deposit.history, when, Decimal(0))
    if when.at >= deposit.changed_at:
        deposit.state, deposit.changed_at, deposit.early = "redeemed", when.at, data.early
    _trim(profile)


def _deposit(profile: ProfileSection, name: str) -> Deposit:
    return profile.deposits.setdefault(key_of(name), Deposit())


def _trim(profile: ProfileSection) -> None:
    trim(profile.dropped, "deposits", profile.deposits, MAX_DEPOSITS, _rank)


def _rank(deposit: Deposit) -> tuple[bool, int]:
    return deposit.state == "open", deposit.changed_at
