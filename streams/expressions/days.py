"""Days counted from the day on which something is looked at, in the bank's time zone."""

from datetime import date, tzinfo
from functools import lru_cache

from schemas.envelope import from_millis

_QUARTER = 900_000
"""A quarter of an hour: no day begins within one, in any time zone of today."""


def day_at(at: int, zone: tzinfo) -> date:
    """The day of a time (epoch milliseconds)."""
    return _day_of(at // _QUARTER, zone)


@lru_cache(maxsize=65_536)
def _day_of(quarter: int, zone: tzinfo) -> date:
    return from_millis(quarter * _QUARTER).astimezone(zone).date()


def days_until(day: str | None, at: int, zone: tzinfo) -> int | None:
    """How many days a day (`2026-05-01`) is after that of a time; below zero for one before it.
    Unknown for a day that no calendar has."""
    if day is None:
        return None
    try:
        return (date.fromisoformat(day) - day_at(at, zone)).days
    except ValueError:
        return None


def years_since(day: str | None, at: int, zone: tzinfo) -> int | None:
    """How many whole years ago a day was: an age. Of 29 February it is 28 February in common years,
    as birthdays are (streams/yearly.py)."""
    if day is None:
        return None
    try:
        first, now = date.fromisoformat(day), day_at(at, zone)
    except ValueError:
        return None
    eve = (first.month, first.day) == (2, 29) and (now.month, now.day) == (2, 28)
    turned = eve or (now.month, now.day) >= (first.month, first.day)
    return now.year - first.year - (not turned)
