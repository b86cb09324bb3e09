"""Days counted from the day on which something is looked at, in the bank's time zone."""

from datetime import date, tzinfo

from streams.months import day_at


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
