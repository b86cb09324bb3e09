"""From a date to the time at which a rule fires: so many days before it or after it, once or every
year."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from schemas.envelope import to_millis
from schemas.rule_waits import Every, Wait
from streams.calendar import Calendar
from streams.months import day_at
from streams.yearly import in_year, next_lunar, next_yearly

_YESTERDAY = timedelta(1)
_LONG_AGO = timedelta(800)
"""More than any number of days that a rule can say of a date of every year, and a year."""
_END = time(23, 59)


class Bank(NamedTuple):
    zone: tzinfo
    calendar: Calendar


class Days(Struct, frozen=True, kw_only=True):
    number: int
    is_business: bool = False
    is_after: bool = False
    at: time
    every: Every | None = None
    turns: tuple[int, ...] = ()

    def first(self, day: str, since: int, bank: Bank) -> int | None:
        """When to fire for a date (`2026-05-01`) that is told at `since`; epoch milliseconds.

        Where the time is over and the date is not, at once. None where that is over, too, and for
        a day that is none: events with such a day are refused, but a record may be older than that.
        """
        return self._next(day, since, bank, again=False)

    def again(self, day: str, fired: int, bank: Bank) -> int | None:
        """When to fire after `fired`, the time at which it fired for this date."""
        if self.every is None:
            return None
        return self._next(day, fired, bank, again=True)

    def ready(self, day: str, due: int, bank: Bank) -> int | None:
        """When a timer for a date that is due at `due`, maybe by another rule or calendar, is due
        by these. None for a day that is none, or does not come around then.

        Of a date that comes every year it is for the nearest, as the other may have said before
        it or after it.
        """
        try:
            found, around = None, day_at(due, bank.zone)
            for one in self._occurrences(date.fromisoformat(day), around - _LONG_AGO):
                if found is None or abs(one - around) <= abs(found - around):
                    found = one
                if one >= around:
                    break
            return None if found is None else _times(self, found, bank)[0]
        except (OverflowError, ValueError):
            return None

    def _next(self, day: str, since: int, bank: Bank, *, again: bool) -> int | None:
        try:
            first = date.fromisoformat(day)
            back = _LONG_AGO if self.is_after else _YESTERDAY
            for one in self._occurrences(first, day_at(since, bank.zone) - back):
                ready, over = _times(self, one, bank)
                if again and ready > since:
                    return ready
                if not again and over >= since:
                    return max(ready, since, 0)
        except (OverflowError, ValueError):
            pass
        return None

    def _occurrences(self, first: date, since: date) -> Iterable[date]:
        """Those after a day, and others maybe, in their order."""
        if self.every is None:
            return (first,)
        after = max(first, since)
        return self._years(first, after) if self.turns else self._all_years(first, after)

    def _years(self, first: date, after: date) -> Iterator[date]:
        for number in sorted(self.turns):
            if after.year <= first.year + number <= date.max.year:
                yield in_year(first, first.year + number)

    def _all_years(self, first: date, after: date) -> Iterator[date]:
        following = next_yearly if self.every == "year" else next_lunar
        one = following(first, after)
        while one is not None:
            yield one
            one = following(first, one)

    def shifted(self, day: date, calendar: Calendar) -> date:
        """The day on which to fire for a date, business days or not."""
        if not self.is_business:
            return day + timedelta(self.number if self.is_after else -self.number)
        if self.is_after:
            return calendar.business_days_after(day, self.number)
        return calendar.business_days_before(day, self.number)


@lru_cache(maxsize=16_384)
def _times(days: Days, occurrence: date, bank: Bank) -> tuple[int, int]:
    """When to fire for a date as it comes once, and from when on that is over; epoch milliseconds.
    Many customers have a date on the same day."""
    on = days.shifted(occurrence, bank.calendar)
    last = on if days.is_after else occurrence
    return instant(on, days.at, bank.zone), instant(last, _END, bank.zone)


def days_of(wait: Wait) -> Days:
    """Of a wait that says a date."""
    return Days(
        number=(wait.days if wait.business_days is None else wait.business_days) or 0,
        is_business=wait.business_days is not None,
        is_after=wait.after is not None,
        at=time.fromisoformat(wait.at),
        every=wait.every,
        turns=tuple(wait.turns or ()),
    )


def instant(day: date, at: time, zone: tzinfo) -> int:
    """A time of a day; epoch milliseconds. Of one that a change of the clocks skips or repeats, the
    first reading counts (PEP 495)."""
    return to_millis(datetime.combine(day, at, zone))
