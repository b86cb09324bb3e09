"""Days that come back each year: birthdays and anniversaries, by the sun or by the moon."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, tzinfo

from borax.calendars.lunardate import MAX_LUNAR_YEAR, LCalendars, LunarDate

from schemas.envelope import from_millis, to_millis


def next_yearly(first: date, after: date) -> date | None:
    """The first anniversary of a day after another day, which itself does not count.

    Of 29 February, 28 February in common years. None after the year 9999.
    """
    day = in_year(first, after.year)
    if day > after:
        return day
    return None if after.year == date.max.year else in_year(first, after.year + 1)


def next_lunar(first: date, after: date) -> date | None:
    """The same in the Chinese lunar calendar: `first` is a day as people write it today.

    Of a day in a leap month, the same day of that month in years without it; of a 30th, the 29th
    in months that have none. None for days before 1900-01-31, and after the lunar year 2100.
    """
    try:
        born = LunarDate.from_solar(first)
        year = LunarDate.from_solar(after).year
    except ValueError:
        return None
    for one in (year, year + 1):
        if one > MAX_LUNAR_YEAR:
            return None
        day = _in_lunar_year(born, one)
        if day > after:
            return day
    raise AssertionError("next year's is later than any day of this year")


def next_instant(
    next_day: Callable[[date], date | None], days: int, at: time, zone: tzinfo, after: int
) -> int | None:
    """The first instant after `after` that is so many days before a day that `next_day` gives, at
    a time of day. Both in epoch milliseconds; None where there is no such day any more.

    `next_day` gives the next day after another one. Of a time that a change of the clocks skips or
    repeats, the first reading counts (PEP 495).
    """
    back = timedelta(days)
    try:
        day = next_day(from_millis(after).astimezone(zone).date() + back - timedelta(1))
        while day is not None:
            found = to_millis(datetime.combine(day - back, at, zone))
            if found > after:
                return found
            day = next_day(day)
    except OverflowError:
        pass
    return None


def in_year(first: date, year: int) -> date:
    """A day's anniversary in a year, from 1 to 9999."""
    try:
        return first.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def _in_lunar_year(born: LunarDate, year: int) -> date:
    leap = int(born.leap and LCalendars.leap_month(year) == born.month)
    day = min(born.day, LCalendars.ndays(year, born.month, leap))
    found: date = LunarDate(year, born.month, day, leap).to_solar_date()
    return found
