"""What waits for somebody: what matures soon, which rules wait and until when."""

from datetime import date, timedelta, tzinfo

from schemas.record import Record
from streams.portrait.instants import instant
from streams.portrait.parts import Amount, Table, Value
from streams.portrait.profile import as_day

SOON_DAYS = 30
"""A deposit that matures within so many days is something to talk about."""


def open_things(record: Record, zone: tzinfo, today: date) -> Table:
    """By their times, the next first."""
    rows = [*_maturing(record, today), *_timers(record, zone)]
    rows.sort(key=lambda row: str(row[0]))
    return Table("open", ("when", "what", "name", "amount"), tuple(rows))


def _maturing(record: Record, today: date) -> list[tuple[Value, ...]]:
    rows: list[tuple[Value, ...]] = []
    for name, deposit in record.profile.deposits.items():
        day = as_day(deposit.matures_on)
        if deposit.state != "open" or not isinstance(day, date):
            continue
        if day <= today + timedelta(days=SOON_DAYS):
            what = "deposit matures" if day >= today else "deposit has matured"
            rows.append((day, what, name, Amount(deposit.principal, deposit.currency)))
    return rows


def _timers(record: Record, zone: tzinfo) -> list[tuple[Value, ...]]:
    return [
        (instant(timer.due, zone), "rule waits", key, None)
        for key, timer in record.activity.timers.items()
        if not timer.fired
    ]
