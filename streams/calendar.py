"""Business days: weekdays that are no public holiday, and the weekend days worked in exchange."""

from collections.abc import Iterator
from datetime import date, timedelta

from schemas.calendars import CalendarDefinition, Years
from schemas.rule_parts import Text

_SATURDAY = 5


class Calendar:
    """The business days of a bank. Immutable.

    Days are dates of the bank's time zone. Where a year is not covered, weekends alone are off.
    Whatever leaves Python's calendar (the years 1 to 9999) raises OverflowError.
    """

    __slots__ = ("_off", "_worked", "definition")

    def __init__(self, definition: CalendarDefinition) -> None:
        self.definition = definition
        holidays = definition.holidays
        self._off = frozenset(day for one in holidays for day in days(one.first, one.last))
        self._worked = frozenset(day for one in holidays for day in one.worked)

    def is_business_day(self, day: date) -> bool:
        if day.weekday() < _SATURDAY:
            return day not in self._off
        return day in self._worked

    def business_days_before(self, day: date, number: int) -> date:
        """The business day so many before a day, which itself does not count.

        0 is that day, or the last business day before it if it is none.
        """
        return self._nth(day, number, timedelta(-1))

    def business_days_after(self, day: date, number: int) -> date:
        """The business day so many after a day, which itself does not count.

        0 is that day, or the first business day after it if it is none.
        """
        return self._nth(day, number, timedelta(1))

    def next_business_day(self, day: date) -> date:
        """The first business day after a day."""
        return self.business_days_after(day, 1)

    def _nth(self, day: date, number: int, step: timedelta) -> date:
        assert number >= 0
        if not number:
            while not self.is_business_day(day):
                day += step
        for _ in range(number):
            day += step
            while not self.is_business_day(day):
                day += step
        return day


def days(first: date, last: date) -> Iterator[date]:
    """Each day from the first to the last, both included."""
    yield from (first + timedelta(after) for after in range((last - first).days + 1))


WEEKENDS_ONLY = Calendar(
    CalendarDefinition(
        title=Text(en="Weekends alone", zh="仅周末休息"),
        years=Years(first=1900, announced=2100, last=2100),
        holidays=(),
    )
)
