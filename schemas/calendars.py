"""A calendar of public holidays and make-up workdays, as its owner keeps it."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from schemas.rule_parts import Strict, Text

MAX_HOLIDAYS = 1_000
MAX_DAYS_OFF = 31
"""Of a holiday."""
MAX_WORKED = 8

Year = Annotated[int, Field(ge=1900, le=2100)]
Coverage = Literal["announced", "expected", "none"]
"""What is known of a year: all, the holidays without make-up workdays, or nothing."""


class Years(Strict):
    """Of which years the calendar tells."""

    first: Year
    announced: Year
    """The last one whose days off and make-up workdays were announced."""
    last: Year
    """Of later ones the holidays stand here as they are expected; after this one, nothing."""


class Holiday(Strict):
    """A holiday of one year. Several may share days off."""

    name: Text
    day: date
    """The holiday's own."""
    first: date
    """The first day off."""
    last: date
    """The last day off."""
    worked: Annotated[tuple[date, ...], Field(max_length=MAX_WORKED)] = ()
    """Days of a weekend that are worked in exchange."""


class CalendarDefinition(Strict):
    """A file with a calendar. Weekends are Saturday and Sunday."""

    title: Text
    years: Years
    holidays: Annotated[tuple[Holiday, ...], Field(max_length=MAX_HOLIDAYS)]

    def coverage(self, year: int) -> Coverage:
        if self.years.first <= year <= self.years.announced:
            return "announced"
        return "expected" if self.years.first <= year <= self.years.last else "none"
