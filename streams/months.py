"""Calendar months and days in the bank's time zone."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from msgspec import Struct

from schemas.envelope import from_millis, to_millis
from streams.durations import DAY_MS

_QUARTER = 900_000
"""A quarter of an hour: no month begins and no clock is changed within one, in any time zone of
today; nor is a clock changed and changed back within a day."""
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = date(1970, 1, 1).toordinal()


class Moment(Struct, frozen=True, gc=False):
    """An event's time, and where in its month it is."""

    at: int
    """Epoch milliseconds."""
    month: int
    """Months since the year 0."""
    since: int
    """Milliseconds since the month began."""


Clocks = tuple[int, int, int]
"""What a time is on several clocks, by the places below."""
AT, LOCAL, MONTH = range(3)
"""Epoch milliseconds; what the bank's clocks show, as milliseconds since they showed the epoch, so
that a multiple of a day is midnight; months since the year 0."""


def moment(at: int, zone: tzinfo = UTC) -> Moment:
    month, begun, _ = _day(at // DAY_MS, zone) or _quarter(at // _QUARTER, zone)
    return Moment(at, month, at - begun)


def clocks(at: int, zone: tzinfo = UTC) -> Clocks:
    month, _, ahead = _day(at // DAY_MS, zone) or _quarter(at // _QUARTER, zone)
    return at, at + ahead, month


def day_at(at: int, zone: tzinfo = UTC) -> date:
    """The day of a time (epoch milliseconds) by the bank's clocks."""
    return date.fromordinal(_EPOCH + clocks(at, zone)[LOCAL] // DAY_MS)


def minute_at(at: int, zone: tzinfo = UTC) -> str:
    """For people, by the bank's clocks: such as `2026-03-01 08:30`."""
    return f"{from_millis(at).astimezone(zone):%Y-%m-%d %H:%M}"


def time_at(at: int, zone: tzinfo = UTC) -> str:
    """As `minute_at`, with the seconds if there are any: such as `2026-03-01 08:30:05`."""
    return f"{from_millis(at).astimezone(zone):%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def day_of(when: Moment) -> int:
    """The day of the month, 1 to 31; a change of the clocks may be an hour off at midnight."""
    return when.since // DAY_MS + 1


@lru_cache(maxsize=1024)
def month_name(month: int) -> str:
    """Such as `2026-03`."""
    return f"{month // 12:04}-{month % 12 + 1:02}"


_Place = tuple[int, int, int]
"""A month, when it began, and by how much the clocks are ahead of UTC."""


@lru_cache(maxsize=4_096)
def _day(day: int, zone: tzinfo) -> _Place | None:
    """The place of a day of UTC, counted since the epoch; None if it has more than one."""
    first, last = day * DAY_MS // _QUARTER, (day + 1) * DAY_MS // _QUARTER - 1
    place = _quarter(first, zone)
    return place if place == _quarter(last, zone) else None


@lru_cache(maxsize=4_096)
def _quarter(quarter: int, zone: tzinfo) -> _Place:
    """The place of a quarter of an hour, counted since the epoch."""
    local = from_millis(quarter * _QUARTER).astimezone(zone)
    begun = datetime(local.year, local.month, 1, tzinfo=zone)
    ahead = (local.utcoffset() or timedelta()) // _MILLISECOND
    return local.year * 12 + local.month - 1, to_millis(begun), ahead
