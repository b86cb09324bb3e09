"""The calendar of business days, from one YAML file."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from config.placed_yaml import FileErrors, FileProblem, PlacedFile, read_placed
from schemas.calendars import MAX_DAYS_OFF, CalendarDefinition, Holiday

SHIPPED_CALENDAR = Path(__file__).parent / "calendars" / "cn.yaml"
_BEGINS_WITH = "a calendar begins with keys such as title, years, holidays"
_SATURDAY = 5


class CalendarFileErrors(FileErrors):
    """The calendar cannot be used."""


def read_calendar(path: Path | None = None) -> CalendarDefinition:
    """Read a calendar; None is the one that is shipped. Raises CalendarFileErrors."""
    file = read_placed(path or SHIPPED_CALENDAR, CalendarDefinition, _BEGINS_WITH)
    problems = [*_problems(file)] if isinstance(file, PlacedFile) else file
    if problems or not isinstance(file, PlacedFile):
        raise CalendarFileErrors(problems)
    definition: CalendarDefinition = file.content
    return definition


def _problems(file: PlacedFile) -> Iterator[FileProblem]:
    calendar: CalendarDefinition = file.content
    years = calendar.years
    if not years.first <= years.announced <= years.last:
        what = "should be in the order first, announced, last (years may be the same)"
        yield file.problem("years.announced", 0, what)
    seen: set[tuple[date, str]] = set()
    for number, holiday in enumerate(calendar.holidays):
        if (holiday.day, holiday.name.en) in seen:
            yield file.problem(f"holidays.{number}.day", 0, f"{holiday.name.en} stands here twice")
        seen.add((holiday.day, holiday.name.en))
        for key, what in _of_holiday(holiday, calendar):
            yield file.problem(f"holidays.{number}.{key}", 0, what)


def _of_holiday(holiday: Holiday, calendar: CalendarDefinition) -> Iterator[tuple[str, str]]:
    """Key and what is wrong with it."""
    first, last = calendar.years.first, calendar.years.last
    if not first <= holiday.day.year <= last:
        yield "day", f"is in none of the years {first} to {last}, which this calendar tells of"
    if not 0 <= (holiday.last - holiday.first).days < MAX_DAYS_OFF:
        yield "last", f"should be the first day off or up to {MAX_DAYS_OFF - 1} days later"
    elif not holiday.first <= holiday.day <= holiday.last:
        yield "day", "is not among the days off, from first to last"
    for number, day in enumerate(holiday.worked):
        if day.weekday() < _SATURDAY:
            yield f"worked.{number}", f"{day} is no day of a weekend: it is worked anyway"
        elif any(one.first <= day <= one.last for one in calendar.holidays):
            yield f"worked.{number}", f"{day} is a day off as well"
