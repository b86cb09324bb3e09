"""Time deposits: placed, renewed, redeemed."""

from schemas.events.core import DepositData, DepositRedeemedData
from schemas.profile import Deposit, ProfileSection
from streams.base_amounts import told
from streams.fold.bounded import make_room

MAX_DEPOSITS = 200
"""One that falls off takes its timers along, so this is more than a customer is likely to have. Of
the record's limit a deposit takes about 150 bytes, and 190 for each rule that waits for it."""


def placed(profile: ProfileSection, data: DepositData, at: int) -> None:
    """Placing and renewing both say the whole deposit as it is from then on."""
    deposit = _deposit(profile, data.deposit)
    if at < deposit.changed_at:
        return
    deposit.principal, deposit.currency = data.principal, data.currency
    deposit.base_principal, deposit.rate = told(data.base_principal), data.rate
    deposit.matures_on = data.matures_on
    deposit.state, deposit.changed_at = "open", at


def redeemed(profile: ProfileSection, data: DepositRedeemedData, at: int) -> None:
    deposit = _deposit(profile, data.deposit)
    if at >= deposit.changed_at:
        deposit.state, deposit.changed_at = "redeemed", at


def _deposit(profile: ProfileSection, name: str) -> Deposit:
    if name not in profile.deposits:
        make_room(
            profile,
            "deposits",
            profile.deposits,
            MAX_DEPOSITS,
            lambda d: (d.state == "open", d.changed_at),
        )
        profile.deposits[name] = Deposit()
    return profile.deposits[name]
