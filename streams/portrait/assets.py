"""What the customer has with the bank."""

from datetime import tzinfo
from decimal import Decimal

from schemas.profile import Account, Deposit, ProfileSection
from streams.fold.accounts import is_open
from streams.portrait.instants import instant
from streams.portrait.parts import Amount, Fact, Facts, Table
from streams.portrait.profile import as_day


def assets(section: ProfileSection) -> Facts:
    """Totals in the bank's base currency: of open accounts, of open deposits, of both."""
    balance = sum((one.base_balance for one in _accounts(section).values()), Decimal(0))
    deposits = sum((one.base_principal for one in _deposits(section).values()), Decimal(0))
    return Facts(
        "assets",
        (
            Fact("total", Amount(balance + deposits)),
            Fact("accounts", Amount(balance)),
            Fact("deposits", Amount(deposits)),
        ),
    )


def tables_of_assets(section: ProfileSection, zone: tzinfo) -> tuple[Table, ...]:
    """One by one, the largest first."""
    return _table_of_accounts(section, zone), _table_of_deposits(section)


def _table_of_accounts(section: ProfileSection, zone: tzinfo) -> Table:
    held = sorted(_accounts(section).items(), key=lambda one: (-one[1].base_balance, one[0]))
    rows = tuple(
        (
            name,
            account.kind or None,
            Amount(account.balance, account.currency),
            Amount(account.base_balance),
            instant(account.balance_at, zone),
        )
        for name, account in held
    )
    columns = ("account", "kind", "balance", "in_base_currency", "reported")
    return Table("accounts", columns, rows, section.dropped.get("accounts", 0))


def _table_of_deposits(section: ProfileSection) -> Table:
    held = sorted(_deposits(section).items(), key=lambda one: (one[1].matures_on, one[0]))
    rows = tuple(
        (
            name,
            Amount(deposit.principal, deposit.currency),
            Amount(deposit.base_principal),
            f"{deposit.rate * 100:f}".rstrip("0").rstrip(".") + " %",
            as_day(deposit.matures_on),
        )
        for name, deposit in held
    )
    columns = ("deposit", "principal", "in_base_currency", "rate", "matures_on")
    return Table("deposits", columns, rows, section.dropped.get("deposits", 0))


def _accounts(section: ProfileSection) -> dict[str, Account]:
    return {name: one for name, one in section.accounts.items() if is_open(one)}


def _deposits(section: ProfileSection) -> dict[str, Deposit]:
    return {name: one for name, one in section.deposits.items() if one.state == "open"}
