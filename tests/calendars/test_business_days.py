"""Business days against a twin that counts day by day, and against days that people know."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.load_calendar import read_calendar
from schemas.calendars import CalendarDefinition, Holiday, Years
from schemas.rule_parts import Text
from streams.calendar import WEEKENDS_ONLY, Calendar, days

CHINA = Calendar(read_calendar())
NAME = Text(en="A day", zh="一天")
YEARS = Years(first=2026, announced=2026, last=2026)
START = date(2026, 1, 1)
DAYS = st.integers(0, 120).map(lambda after: START + timedelta(after))
COUNTS = st.integers(0, 60)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Holidays that touch and overlap, and weekends that are worked, off or not."""
    holidays = []
    for first in draw(st.lists(DAYS, max_size=12)):
        last = first + timedelta(draw(st.integers(0, 20)))
        weekend = [day for day in days(START, START + timedelta(200)) if day.weekday() >= 5]
        worked = tuple(draw(st.lists(st.sampled_from(weekend), max_size=6)))
        holidays.append(Holiday(name=NAME, day=first, first=first, last=last, worked=worked))
    return Calendar(CalendarDefinition(title=NAME, years=YEARS, holidays=tuple(holidays)))


def is_worked(calendar: Calendar, day: date) -> bool:
    """The twin: looked up in the definition, holiday by holiday."""
    holidays = calendar.definition.holidays
    if any(day in one.worked for one in holidays):
        return True
    return day.isoweekday() not in (6, 7) and not any(
        one.first <= day <= one.last for one in holidays
    )


@given(calendars(), DAYS, COUNTS)
def test_before_and_after_are_what_counting_day_by_day_gives(
    calendar: Calendar, day: date, number: int
) -> None:
    after = calendar.business_days_after(day, number)
    before = calendar.business_days_before(day, number)
    assert is_worked(calendar, after)
    assert is_worked(calendar, before)
    assert before <= day <= after
    later = [one for one in days(day + timedelta(1), after) if is_worked(calendar, one)]
    earlier = [one for one in days(before, day - timedelta(1)) if is_worked(calendar, one)]
    if number:
        assert len(later) == len(earlier) == number
    elif is_worked(calendar, day):
        assert before == day == after
    else:
        assert later == [after]
        assert earlier == [before]


@given(calendars(), DAYS)
def test_a_business_day_is_one_that_is_worked(calendar: Calendar, day: date) -> None:
    assert calendar.is_business_day(day) == is_worked(calendar, day)
    assert calendar.next_business_day(day) == calendar.business_days_after(day, 1)


@given(calendars(), DAYS, COUNTS)
def test_back_and_forth(calendar: Calendar, day: date, number: int) -> None:
    there = calendar.business_days_after(day, number)
    back = calendar.business_days_before(there, number)
    assert back == calendar.business_days_before(day, 0) or not number


@pytest.mark.parametrize(
    ("day", "number", "before", "after"),
    [
        ("2026-02-17", 3, "2026-02-12", "2026-02-26"),  # the 14th, a Saturday, is worked
        ("2026-02-14", 0, "2026-02-14", "2026-02-14"),
        ("2026-02-15", 0, "2026-02-14", "2026-02-24"),
        ("2026-10-01", 1, "2026-09-30", "2026-10-08"),
        ("2026-10-09", 1, "2026-10-08", "2026-10-10"),  # a Saturday that is worked
        ("2026-12-31", 1, "2026-12-30", "2027-01-04"),  # New Year's Day is expected
        ("2031-01-01", 0, "2031-01-01", "2031-01-01"),  # not told of: a Wednesday
        ("2031-01-03", 1, "2031-01-02", "2031-01-06"),
    ],
)
def test_days_in_china(day: str, number: int, before: str, after: str) -> None:
    start = date.fromisoformat(day)
    assert str(CHINA.business_days_before(start, number)) == before
    assert str(CHINA.business_days_after(start, number)) == after


def test_without_a_calendar_weekends_alone_are_off() -> None:
    assert WEEKENDS_ONLY.business_days_after(date(2026, 1, 1), 1) == date(2026, 1, 2)
    assert WEEKENDS_ONLY.business_days_before(date(2026, 2, 16), 1) == date(2026, 2, 13)


def test_python_ends_with_the_year_9999() -> None:
    with pytest.raises(OverflowError):
        CHINA.business_days_after(date(9999, 12, 30), 5)
    with pytest.raises(OverflowError):
        CHINA.business_days_before(date(1, 1, 2), 5)
