"""What whole months say of a customer: flows of a quarter, favourite categories, regular inflows.

An inflow is **regular** if one sender paid into one account in at least three months in a row, up
to the last whole month or the one before it, once or twice a month, each time within a quarter of
the last amount. What was reversed does not count, nor what names no sender. A month keeps its
largest inflows only, so that small ones are not seen.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from statistics import median_low

from msgspec import Raw

from schemas.activity import Behaviour, Inflow, Month, Regular
from schemas.packed import pack
from schemas.record import Record

QUARTER = 3
MAX_REGULAR = 8
MAX_FAVOURITES = 5
_AT_LEAST = 3
_OFTEN = 2
_TOLERANCE = Decimal("0.25")


def update(record: Record) -> None:
    """Bring the behaviour in line: after the record's first event of a month, or a late one."""
    newest = max(record.activity.months)
    record.activity.behaviour = Raw(pack(behaviour(newest, _whole(record, newest))))


def _whole(record: Record, newest: int) -> dict[int, Month]:
    months = record.months
    found = {number: months.get(number) for number in months if number != newest}
    return {number: month for number, month in found.items() if month is not None}


def behaviour(newest: int, whole: Mapping[int, Month]) -> Behaviour:
    """Of the months before the newest."""
    quarter = [whole[n] for n in range(newest - QUARTER, newest) if n in whole]
    found = Behaviour(month=newest, regular=regular_inflows(newest, whole))
    categories: defaultdict[str, Decimal] = defaultdict(Decimal)
    for month in quarter:
        found.inflow += month.inflow.total
        found.outflow += month.outflow.total
        found.spent += month.spent.total
        for category, spent in month.categories.items():
            categories[category] += spent.total
    ranked = sorted(categories, key=lambda one: (-categories[one], one))
    found.categories = ranked[:MAX_FAVOURITES]
    return found


def regular_inflows(newest: int, whole: Mapping[int, Month]) -> list[Regular]:
    """The largest first."""
    if len(whole) < _AT_LEAST:
        return []
    senders: defaultdict[int, defaultdict[int, list[Inflow]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for number, month in whole.items():
        for inflow in month.inflows:
            if not inflow.reversed:
                senders[inflow.source][number].append(inflow)
    found = [one for months in senders.values() if (one := _regular(newest, months)) is not None]
    return sorted(found, key=lambda one: (-one.amount, one.day, one.purpose))[:MAX_REGULAR]


def _regular(newest: int, months: Mapping[int, list[Inflow]]) -> Regular | None:
    number = last = max(months)
    if last < newest - 2 or len(months) < _AT_LEAST:
        return None
    largest = max(months[last])
    run: list[Inflow] = []
    while like := _alike(months.get(number, ()), largest.amount):
        run += like
        number -= 1
    if last - number < _AT_LEAST:
        return None
    amount = median_low(one.amount for one in run)
    day = median_low(one.day for one in run)
    return Regular(largest.purpose, amount, day, last - number)


def _alike(inflows: Sequence[Inflow], amount: Decimal) -> list[Inflow]:
    """Those of a month near an amount; none if the sender paid more often than regularly."""
    if len(inflows) > _OFTEN:
        return []
    return [one for one in inflows if abs(one.amount - amount) <= _TOLERANCE * amount]
