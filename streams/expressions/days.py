"""When something is looked at, by the bank's clocks: its hour and weekday, and days from then."""

from collections.abc import Callable
from datetime import date, tzinfo

from streams.months import LOCAL, clocks, day_at

_HOUR_MS, _HOURS = 3_600_000, 24


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


def hour(at: int, zone: tzinfo) -> int:
    """0 to 23."""
    return clocks(at, zone)[LOCAL] // _HOUR_MS % _HOURS


def weekday(at: int, zone: tzinfo) -> int:
    """1 is Monday, 7 is Sunday."""
    return day_at(at, zone).isoweekday()


CLOCKS: dict[str, Callable[[int, tzinfo], int]] = {"hour": hour, "weekday": weekday}
