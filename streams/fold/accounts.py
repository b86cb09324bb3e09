"""Accounts and their balances."""

from decimal import Decimal

from schemas.events.core import AccountClosedData, AccountOpenedData, BalanceData
from schemas.profile import Account, ProfileSection
from streams import history
from streams.base_amounts import told
from streams.fold.bounded import cut, key_of, trim
from streams.months import Moment

MAX_ACCOUNTS = 50


def opened(profile: ProfileSection, data: AccountOpenedData, when: Moment) -> None:
    account = _account(profile, data.account)
    if account.opened_at is None or when.at >= account.opened_at:
        account.kind = cut(data.kind)
        account.branch = None if data.branch is None else cut(data.branch)
        account.opened_at = when.at
        if account.balance_at < 0:
            account.currency = data.currency
    account.openness = history.tell(account.openness, when, Decimal(1))
    _trim(profile)


def closed(profile: ProfileSection, data: AccountClosedData, when: Moment) -> None:
    account = _account(profile, data.account)
    account.closed_at = max(when.at, account.closed_at or 0)
    account.openness = history.tell(account.openness, when, Decimal(0))
    _trim(profile)


def balance_reported(profile: ProfileSection, data: BalanceData, when: Moment) -> None:
    """A report is a state, so the newest by event time stands, whatever comes when."""
    account = _account(profile, data.account)
    base = told(data.base_balance)
    if when.at >= account.balance_at:
        account.currency = data.currency
        account.balance, account.base_balance = data.balance, base
        account.balance_at = when.at
    account.history = history.tell(account.history, when, base)
    _trim(profile)


def is_open(account: Account) -> bool:
    if account.closed_at is None:
        return True
    return account.opened_at is not None and account.opened_at > account.closed_at


def _account(profile: ProfileSection, name: str) -> Account:
    key = key_of(name)
    account = profile.accounts.get(key)
    if account is None:
        account = profile.accounts[key] = Account()
    return account


def _trim(profile: ProfileSection) -> None:
    trim(profile.dropped, "accounts", profile.accounts, MAX_ACCOUNTS, _rank)


def _rank(account: Account) -> tuple[bool, int]:
    last = max(account.balance_at, account.opened_at or 0, account.closed_at or 0)
    return is_open(account), last
