"""Time deposits: placed, renewed, redeemed."""

from decimal import Decimal

from schemas.events.core import DepositData, DepositRedeemedData
from schemas.profile import NEVER, Deposit, ProfileSection
from streams import moves
from streams.base_amounts import told
from streams.fold.bounded import key_of, trim
from streams.months import Moment
from streams.moves import Kind

NOTHING = Decimal(0)
MAX_DEPOSITS = 70
"""One that falls off takes its timers along, so this is more than a customer is likely to have. Of
the record's limit a deposit takes about 150 bytes, with moves in every month 500, and 190 for each
rule that waits for it."""


def placed(profile: ProfileSection, data: DepositData, when: Moment) -> None:
    """Placing and renewing both say the whole deposit as it is from then on."""
    deposit = _deposit(profile, data.deposit)
    if when.at >= deposit.placed_at:
        deposit.currency, deposit.rate = data.currency, data.rate
        deposit.matures_on, deposit.placed_at = data.matures_on, when.at
    if when.at >= deposit.changed_at:
        deposit.changed_at, deposit.early, deposit.redeemed = when.at, False, None
    _move(deposit, when, Kind.SET, data.principal, told(data.base_principal))
    _trim(profile)


def redeemed(profile: ProfileSection, data: DepositRedeemedData, when: Moment) -> None:
    """What is left stays open; the base principal goes down by the same share."""
    deposit = _deposit(profile, data.deposit)
    if when.at >= deposit.changed_at:
        deposit.changed_at, deposit.early, deposit.redeemed = when.at, data.early, data.amount
        if deposit.placed_at == NEVER:
            deposit.currency = data.currency
    if data.left is None:
        _move(deposit, when, Kind.CHANGE, -data.amount, NOTHING)
    else:
        _move(deposit, when, Kind.LEFT, data.left, NOTHING)
    _trim(profile)


def _move(deposit: Deposit, when: Moment, kind: Kind, amount: Decimal, base: Decimal) -> None:
    deposit.moves = moves.add(deposit.moves, when, kind, amount, base)
    left = moves.held(deposit.moves)
    is_open = left[0] > 0 or moves.ends_whole(deposit.moves)
    deposit.state = "open" if is_open else "redeemed"
    deposit.principal, deposit.base_principal = left if is_open else (NOTHING, NOTHING)


def _deposit(profile: ProfileSection, name: str) -> Deposit:
    return profile.deposits.setdefault(key_of(name), Deposit())


def _trim(profile: ProfileSection) -> None:
    trim(profile.dropped, "deposits", profile.deposits, MAX_DEPOSITS, _rank)


def _rank(deposit: Deposit) -> tuple[bool, int]:
    return deposit.state == "open", deposit.changed_at
