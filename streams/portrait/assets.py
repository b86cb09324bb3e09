"""What the customer has with the bank, and owes it: totals and their history, then one by one."""

from datetime import date, tzinfo
from decimal import Decimal

from schemas.activity import Use, unpack_behaviour
from schemas.profile import Card, ProfileSection
from schemas.record import Record
from streams.assets import assets_by_month, loans_by_month, totals
from streams.fold.accounts import is_open
from streams.fold.cards import in_force
from streams.months import month_name
from streams.portrait.instants import instant
from streams.portrait.parts import Amount, Fact, Facts, Rate, Table, Value, known
from streams.portrait.profile import as_day


def assets(record: Record) -> Facts:
    """Totals in the base currency, and the assets at the ends of the last months."""
    sums = totals(record.profile)
    newest = unpack_behaviour(record.activity.behaviour).month
    by_month = assets_by_month(record.profile, newest, sums.assets) if newest else {}
    classes = {
        "accounts": sums.balance,
        "deposits": sums.base_deposits,
        "wealth": sums.wealth,
        "funds": sums.funds,
        "insurance": sums.insurance,
        "other": sums.other,
        "loans": sums.base_loans,
    }
    owed = loans_by_month(record.profile, newest, sums.base_loans) if newest else {}
    return Facts(
        "assets",
        known(
            Fact("total", Amount(sums.assets)),
            Fact("net", Amount(sums.net)),
            *(Fact(name, Amount(total)) for name, total in classes.items() if total),
            Fact("by_month", _by_month(by_month)),
            Fact("loans_by_month", _by_month(owed)),
        ),
    )


def _by_month(sums: dict[int, Decimal]) -> dict[str, Amount]:
    return {month_name(month): Amount(total) for month, total in sums.items()}


def tables_of_assets(record: Record, zone: tzinfo, today: date) -> tuple[Table, ...]:
    """What is open, one by one."""
    section = record.profile
    return (
        _accounts(section, zone),
        _deposits(section),
        _holdings(section, zone),
        _loans(section, zone),
        _cards(section, record.activity.uses, today),
    )


def _accounts(section: ProfileSection, zone: tzinfo) -> Table:
    held = [(name, one) for name, one in section.accounts.items() if is_open(one)]
    held.sort(key=lambda one: (-one[1].base_balance, one[0]))
    rows = tuple(
        (
            name,
            one.kind or None,
            Amount(one.balance, one.currency),
            Amount(one.base_balance),
            instant(one.balance_at, zone),
        )
        for name, one in held
    )
    columns = ("account", "kind", "balance", "in_base_currency", "reported")
    return Table("accounts", columns, rows, section.dropped.get("accounts", 0))


def _deposits(section: ProfileSection) -> Table:
    held = [(name, one) for name, one in section.deposits.items() if one.state == "open"]
    held.sort(key=lambda one: (one[1].matures_on, one[0]))
    rows = tuple(
        (
            name,
            Amount(one.principal, one.currency),
            Amount(one.base_principal),
            Rate(one.rate),
            as_day(one.matures_on),
        )
        for name, one in held
    )
    columns = ("deposit", "principal", "in_base_currency", "rate", "matures_on")
    return Table("deposits", columns, rows, section.dropped.get("deposits", 0))


def _holdings(section: ProfileSection, zone: tzinfo) -> Table:
    held = [(name, one) for name, one in section.holdings.items() if one.amount > 0]
    held.sort(key=lambda one: (-one[1].base_amount, one[0]))
    rows = tuple(
        (
            name,
            one.product,
            one.product_class,
            Amount(one.amount, one.currency),
            Amount(one.base_amount),
            _day(one.matures_on),
            instant(one.changed_at, zone),
        )
        for name, one in held
    )
    columns = ("holding", "product", "class", "paid", "in_base_currency", "matures_on", "changed")
    return Table("holdings", columns, rows, section.dropped.get("holdings", 0))


def _loans(section: ProfileSection, zone: tzinfo) -> Table:
    held = [(name, one) for name, one in section.loans.items() if one.amount > 0]
    held.sort(key=lambda one: (-one[1].base_amount, one[0]))
    rows = tuple(
        (
            name,
            one.kind,
            Amount(one.amount, one.currency),
            Amount(one.base_amount),
            None if one.rate is None else Rate(one.rate),
            _day(one.due_on),
            instant(one.changed_at, zone),
        )
        for name, one in held
    )
    columns = ("loan", "kind", "owed", "in_base_currency", "rate", "due_on", "changed")
    return Table("loans", columns, rows, section.dropped.get("loans", 0))


def _cards(section: ProfileSection, uses: dict[str, Use], today: date) -> Table:
    """With the limit that holds today, and what was paid in the last month that a card was used in
    and in the month before."""
    rows = tuple(
        (
            name,
            one.product or None,
            *_limit(one, today),
            Amount(one.amount_due, one.statement_currency) if one.statement else None,
            _day(one.due_on),
            *_used(uses.get(name)),
        )
        for name, one in sorted(section.cards.items())
    )
    told = ("card", "product", "limit", "limit_until", "last_statement", "due_on")
    columns = (*told, "used_in", "paid", "month_before")
    return Table("cards", columns, rows, section.dropped.get("cards", 0))


def _limit(card: Card, today: date) -> tuple[Value, Value]:
    limit, until = in_force(card.limit, card.limit_until, card.standing, today)
    return None if limit is None else Amount(limit, card.limit_currency), _day(until)


def _used(use: Use | None) -> tuple[Value, Value, Value]:
    if use is None:
        return None, None, None
    return month_name(use.month), Amount(use.base_total), Amount(use.before)


def _day(text: str | None) -> date | str | None:
    return None if text is None else as_day(text)
