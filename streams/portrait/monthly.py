"""The last calendar months: what the customer did, for what cards paid, and over which channels."""

from collections.abc import Mapping
from decimal import Decimal

from schemas.activity import Month, Sum
from schemas.record import Record
from streams.months import month_name
from streams.portrait.merchant_categories import category_name
from streams.portrait.parts import Amount, Table

MONTHS = 6


def tables_of_months(record: Record) -> tuple[Table, ...]:
    """The newest month first, although it is not over."""
    held = {number: record.months.get(number) for number in sorted(record.months, reverse=True)}
    kept = {number: month for number, month in held.items() if month is not None}
    shown = {number: kept[number] for number in list(kept)[:MONTHS]}
    return (
        _months(shown, len(kept) - len(shown)),
        _categories({number: month.categories for number, month in shown.items()}),
        _channels({number: month.channels for number, month in shown.items()}),
    )


def _months(shown: Mapping[int, Month], left_out: int) -> Table:
    rows = tuple(
        (
            month_name(number),
            month.events,
            Amount(month.inflow.total),
            Amount(month.outflow.total),
            Amount(month.spent.total),
            month.declined,
            month.logins,
            month.pages,
            month.contacts,
        )
        for number, month in shown.items()
    )
    columns = ("month", "events", "in", "out", "cards", "declined", "logins", "pages", "contacts")
    return Table("months", columns, rows, left_out)


def _categories(by_month: Mapping[int, Mapping[str, Sum]]) -> Table:
    rows = tuple((category_name(code), code, total, sums) for code, total, sums in _pivot(by_month))
    return Table("card_payments_by_category", ("category", "code", "total", "by_month"), rows)


def _channels(by_month: Mapping[int, Mapping[str, Sum]]) -> Table:
    rows = tuple(_pivot(by_month))
    return Table("turnover_by_channel", ("channel", "total", "by_month"), rows)


def _pivot(
    by_month: Mapping[int, Mapping[str, Sum]],
) -> list[tuple[str, Amount, dict[str, Amount]]]:
    """Of each name all the months in the order given, the highest totals first; none of
    which everything was taken back."""
    rows = []
    for name in {name for sums in by_month.values() for name in sums}:
        found = {number: sums.get(name, Sum()).total for number, sums in by_month.items()}
        if any(found.values()):
            told = {month_name(number): Amount(total) for number, total in found.items()}
            rows.append((name, Amount(sum(found.values(), Decimal(0))), told))
    return sorted(rows, key=lambda row: (-row[1].amount, row[0]))
