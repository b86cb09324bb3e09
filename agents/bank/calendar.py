"""The year as a bank's customers live it: days off, holidays, seasons, school terms.

A day is a number: days since 1970-01-01 in the bank's time zone (Shanghai, which has no summer
time). Chinese New Year and the Mid-Autumn Festival are known for 2015 to 2035; in other years
those two do not occur. Days that are worked in exchange for a holiday are not known here.
"""

from datetime import date
from functools import lru_cache
from typing import Literal

from streams.durations import DAY_MS

HOUR_MS = 3_600_000
_SHANGHAI_MS = 8 * HOUR_MS
_EPOCH = date(1970, 1, 1).toordinal()

Season = Literal[
    "ordinary",
    "before new year",
    "new year",
    "labour day",
    "summer",
    "back to school",
    "mid-autumn",
    "national day",
    "singles day",
    "christmas",
]

_NEW_YEAR = (
    "2015-02-19 2016-02-08 2017-01-28 2018-02-16 2019-02-05 2020-01-25 2021-02-12 2022-02-01 "
    "2023-01-22 2024-02-10 2025-01-29 2026-02-17 2027-02-06 2028-01-26 2029-02-13 2030-02-03 "
    "2031-01-23 2032-02-11 2033-01-31 2034-02-19 2035-02-08"
)
_MID_AUTUMN = (
    "2015-09-27 2016-09-15 2017-10-04 2018-09-24 2019-09-13 2020-10-01 2021-09-21 2022-09-10 "
    "2023-09-29 2024-09-17 2025-10-06 2026-09-25 2027-09-15 2028-10-03 2029-09-22 2030-09-12 "
    "2031-10-01 2032-09-19 2033-09-08 2034-09-27 2035-09-16"
)
_LUNAR = {
    name: {int(one[:4]): date.fromisoformat(one) for one in days.split()}
    for name, days in (("new year", _NEW_YEAR), ("mid-autumn", _MID_AUTUMN))
}
_YEARLY: tuple[tuple[Season, tuple[int, int], tuple[int, int]], ...] = (
    ("labour day", (5, 1), (5, 5)),
    ("national day", (10, 1), (10, 7)),
    ("singles day", (11, 1), (11, 11)),
    ("christmas", (12, 20), (12, 31)),
    ("back to school", (8, 20), (9, 10)),
    ("summer", (7, 5), (8, 19)),
)
"""Season, its first and its last day; a day belongs to the first that has it."""
_OFF: frozenset[Season] = frozenset(("new year", "labour day", "national day"))
HOLIDAYS: tuple[Season, ...] = ("new year", "labour day", "summer", "national day", "christmas")
"""When people travel."""


def day_number(at: int) -> int:
    """The bank's day at an instant, epoch milliseconds."""
    return (at + _SHANGHAI_MS) // DAY_MS


def start_of(day: int) -> int:
    """The instant at which a day begins, epoch milliseconds."""
    return day * DAY_MS - _SHANGHAI_MS


def hour_of(at: int) -> int:
    """The hour of the bank's day at an instant."""
    return (at + _SHANGHAI_MS) % DAY_MS // HOUR_MS


@lru_cache(4_096)
def date_of(day: int) -> date:
    return date.fromordinal(_EPOCH + day)


def number_of(day: date) -> int:
    return day.toordinal() - _EPOCH


@lru_cache(4_096)
def season_of(day: int) -> Season:
    """What the time of the year is like."""
    today = date_of(day)
    if (new_year := _LUNAR["new year"].get(today.year)) is not None:
        since = (today - new_year).days
        if -21 <= since < -1:
            return "before new year"
        if -1 <= since < 14:
            return "new year"
    mid_autumn = _LUNAR["mid-autumn"].get(today.year)
    for season, first, last in _YEARLY:
        if first <= (today.month, today.day) <= last and season != "back to school":
            return season
    if mid_autumn is not None and -14 <= (today - mid_autumn).days <= 0:
        return "mid-autumn"
    first, last = _YEARLY[4][1:]
    return "back to school" if first <= (today.month, today.day) <= last else "ordinary"


@lru_cache(4_096)
def is_day_off(day: int) -> bool:
    """A weekend or a public holiday (of the New Year, its first eight days)."""
    season = season_of(day)
    if season == "new year":
        today = date_of(day)
        return (today - _LUNAR["new year"][today.year]).days < 7 or today.weekday() >= 5
    return date_of(day).weekday() >= 5 or season in _OFF


_OPENS_MS, _CLOSES_MS = 9 * HOUR_MS, 18 * HOUR_MS


def office_opens(at: int) -> int:
    """That instant if the bank's offices are open then, or else when they open next."""
    day = day_number(at)
    of_day = at - start_of(day)
    if _OPENS_MS <= of_day < _CLOSES_MS and not is_day_off(day):
        return at
    day += of_day >= _OPENS_MS
    while is_day_off(day):
        day += 1
    return start_of(day) + _OPENS_MS


@lru_cache(4_096)
def worked_day_near(wanted: date) -> date:
    """That day if it is worked, or else the last one before it that is; the next one after it if
    there is none before it in its month."""
    first = number_of(wanted.replace(day=1))
    before = range(number_of(wanted), first - 1, -1)
    after = range(number_of(wanted) + 1, number_of(wanted) + 15)
    return date_of(next(day for day in (*before, *after) if not is_day_off(day)))


def months(day: int) -> int:
    """Counts months, so that "once a month" can be asked for."""
    today = date_of(day)
    return today.year * 12 + today.month
