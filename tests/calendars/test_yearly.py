"""Days that come back each year, against a twin that goes on day by day."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from zoneinfo import ZoneInfo

import pytest
from borax.calendars.lunardate import LunarDate
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.bank.calendar import _LUNAR
from schemas.envelope import to_millis
from streams.yearly import next_instant, next_lunar, next_yearly

BORN = st.dates(date(1920, 1, 1), date(2012, 12, 31))
AFTER = st.dates(date(1950, 1, 1), date(2090, 12, 31))
LEAP_DAYS = st.sampled_from([date(1996, 2, 29), date(2000, 2, 29), date(2004, 2, 29)])
ONE = timedelta(1)


def comes_back(born: date, day: date) -> bool:
    if (born.month, born.day) == (2, 29):
        return (day + ONE).month == 3 and day.month == 2
    return (born.month, born.day) == (day.month, day.day)


@given(BORN | LEAP_DAYS, AFTER)
def test_the_next_is_the_first_that_comes_day_by_day(born: date, after: date) -> None:
    day = after + ONE
    while not comes_back(born, day):
        day += ONE
    assert next_yearly(born, after) == day


@cache
def moon() -> dict[date, tuple[int, int, int, int]]:
    """Each day's lunar year, month, day, and whether the month is a leap month."""
    found, days = {}, (date(1915, 1, 1) + timedelta(number) for number in range(65_700))
    one = LunarDate.from_solar(date(1915, 1, 1))
    for day in days:
        found[day] = (one.year, one.month, one.day, one.leap)
        one = one.after(1)
    return found


@cache
def months_of(year: int) -> set[tuple[int, int]]:
    return {(month, leap) for one, month, _, leap in moon().values() if one == year}


def comes_back_by_the_moon(born: date, day: date) -> bool:
    """Whether a day is the anniversary of its lunar year, seen from the days about it."""
    _, month, number, leap = moon()[born]
    year, its_month, its_number, its_leap = moon()[day]
    wanted = (month, leap) if (month, leap) in months_of(year) else (month, 0)
    if (its_month, its_leap) != wanted:
        return False
    is_last = moon()[day + ONE][2] == 1
    return its_number == number or (is_last and number > its_number)


@settings(deadline=None)  # the first has to write the table
@given(BORN, AFTER)
def test_the_next_by_the_moon_is_the_first_that_comes_day_by_day(born: date, after: date) -> None:
    found = next_lunar(born, after)
    assert found is not None
    assert after < found <= after + timedelta(385)
    day = after + ONE
    while day < found:
        assert not comes_back_by_the_moon(born, day), day
        day += timedelta(1)
    assert comes_back_by_the_moon(born, found)


@pytest.mark.parametrize(
    ("born", "after", "expected"),
    [
        ("2000-02-29", "2026-01-01", "2026-02-28"),
        ("2000-02-29", "2026-02-28", "2027-02-28"),
        ("2000-02-29", "2027-02-28", "2028-02-29"),
        ("1970-05-01", "2026-05-01", "2027-05-01"),
        ("1970-05-01", "2026-04-30", "2026-05-01"),
    ],
)
def test_birthdays(born: str, after: str, expected: str) -> None:
    assert str(next_yearly(date.fromisoformat(born), date.fromisoformat(after))) == expected


@pytest.mark.parametrize(
    ("born", "after", "expected"),
    [
        ("1985-02-20", "2026-01-01", "2026-02-17"),  # New Year's day of the moon
        (
            "1976-10-01",
            "2026-01-01",
            "2026-09-18",
        ),  # the 8th of leap month 8, in a year without one
        ("1995-10-01", "2052-01-01", "2052-09-29"),  # and in a year that has one: its own day
        ("1990-01-26", "2026-01-01", "2026-02-16"),  # a 30th of month 12 in a year of 29 days
    ],
)
def test_lunar_birthdays(born: str, after: str, expected: str) -> None:
    assert str(next_lunar(date.fromisoformat(born), date.fromisoformat(after))) == expected


def test_new_year_and_mid_autumn_as_they_are_known() -> None:
    """The simulated bank's days were written down from another source."""
    for one in ("new year", "mid-autumn"):
        days = _LUNAR[one]
        for year, day in days.items():
            if year + 1 in days:
                assert next_lunar(days[2015], day) == days[year + 1]


def test_where_the_table_ends() -> None:
    assert next_lunar(date(1900, 1, 1), date(2026, 1, 1)) is None
    assert next_lunar(date(1950, 1, 1), date(2101, 1, 28)) is None
    assert next_lunar(date(1950, 1, 1), date(2150, 1, 1)) is None
    assert next_yearly(date(2000, 1, 1), date(9999, 6, 1)) is None


SHANGHAI = ZoneInfo("Asia/Shanghai")


def millis(text: str) -> int:
    return to_millis(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("days", "after", "expected"),
    [
        (0, "2026-05-01T08:59+08:00", "2026-05-01T09:00+08:00"),
        (0, "2026-05-01T09:00+08:00", "2027-05-01T09:00+08:00"),
        (3, "2026-04-28T08:59+08:00", "2026-04-28T09:00+08:00"),
        (3, "2026-04-28T09:00+08:00", "2027-04-28T09:00+08:00"),
        (3, "2026-05-01T00:00+08:00", "2027-04-28T09:00+08:00"),
        (0, "2026-04-30T20:00+00:00", "2026-05-01T09:00+08:00"),  # the bank's day has begun
        (400, "2026-01-01T00:00+08:00", "2026-03-27T09:00+08:00"),  # before the one of 2027
    ],
)
def test_instants(days: int, after: str, expected: str) -> None:
    next_day = partial(next_yearly, date(1970, 5, 1))
    found = next_instant(next_day, days, time(9), SHANGHAI, millis(after))
    assert found == millis(expected)


@given(BORN, st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)), st.integers(0, 40))  # noqa: DTZ001
def test_an_instant_is_the_first_after(born: date, after: datetime, days: int) -> None:
    start = to_millis(after.replace(tzinfo=UTC))
    found = next_instant(partial(next_yearly, born), days, time(9), UTC, start)
    assert found is not None
    day = (after - timedelta(1)).date()
    while True:
        instant = to_millis(datetime.combine(day, time(9), UTC))
        if comes_back(born, day + timedelta(days)) and instant > start:
            break
        day += ONE
    assert found == instant


def test_no_instant_where_there_is_no_day() -> None:
    end = millis("9999-12-30T00:00+00:00")
    assert next_instant(partial(next_yearly, date(2000, 1, 1)), 0, time(9), UTC, end) is None
    assert next_instant(partial(next_yearly, date(2000, 1, 1)), 900, time(9), UTC, end) is None
    assert next_instant(lambda _: None, 0, time(9), UTC, 0) is None
