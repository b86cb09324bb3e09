"""What a customer had at the ends of earlier months, as rules ask for it."""

from datetime import tzinfo
from decimal import Decimal

from schemas.record import Record
from streams.assets import NOTHING, worth
from streams.history import MONTHS
from streams.months import moment

ENDS = ("base_assets", "base_loans")
"""The totals of which months are kept."""
FURTHEST = MONTHS - 1
"""So many months back at most."""


def month_end(record: Record, name: str, ago: int, at: int, zone: tzinfo) -> Decimal | None:
    """A total at the end of the month that was so many before that of a time; unknown before
    anything was known of the customer. Who never had a loan owed nothing."""
    month = moment(at, zone).month
    assets, loans = worth(record).months(max((month, *record.activity.months)))
    had = assets.get(month - ago)
    return loans.get(month - ago, NOTHING) if name == "base_loans" and had is not None else had
