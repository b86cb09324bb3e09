"""Accounts and their balances."""

from schemas.events.core import AccountClosedData, AccountOpenedData, BalanceData
from schemas.profile import Account, ProfileSection
from streams.base_amounts import told
from streams.fold.bounded import make_room

MAX_ACCOUNTS = 50


def opened(profile: ProfileSection, data: AccountOpenedData, at: int) -> None:
    account = _account(profile, data.account)
    account.kind, account.currency = data.kind, data.currency
    account.opened_at = at


def closed(profile: ProfileSection, data: AccountClosedData, at: int) -> None:
    _account(profile, data.account).closed_at = at


def balance_reported(profile: ProfileSection, data: BalanceData, at: int) -> None:
    """A report is a state, so the newest by event time stands, whatever comes when."""
    account = _account(profile, data.account)
    if at >= account.balance_at:
        account.currency = data.currency
        account.balance, account.base_balance = data.balance, told(data.base_balance)
        account.balance_at = at


def is_open(account: Account) -> bool:
    if account.closed_at is None:
        return True
    return account.opened_at is not None and account.opened_at > account.closed_at


def _account(profile: ProfileSection, name: str) -> Account:
    if name not in profile.accounts:
        make_room(
            profile,
            "accounts",
            profile.accounts,
            MAX_ACCOUNTS,
            lambda a: (is_open(a), a.balance_at),
        )
        profile.accounts[name] = Account()
    return profile.accounts[name]
