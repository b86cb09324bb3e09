"""Calendar months in the bank's time zone."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple

from schemas.envelope import from_millis, to_millis

_QUARTER = 900_000
"""A quarter of an hour: no month begins within one, in any time zone of today."""


class Moment(NamedTuple):
    """An event's time, and where in its month it is."""

    at: int
    """Epoch milliseconds."""
    month: int
    """Months since the year 0."""
    since: int
    """Milliseconds since the month began."""


def moment(at: int, zone: tzinfo = UTC) -> Moment:
    month, begun = _month(at // _QUARTER, zone)
    return Moment(at, month, at - begun)


def day_of(when: Moment) -> int:
    """The day of the month, 1 to 31; a change of the clocks may be an hour off at midnight."""
    return when.since // 86_400_000 + 1


@lru_cache(maxsize=1024)
def month_name(month: int) -> str:
    """Such as `2026-03`."""
    return f"{month // 12:04}-{month % 12 + 1:02}"


@lru_cache(maxsize=65_536)
def _month(quarter: int, zone: tzinfo) -> tuple[int, int]:
    """The month of a quarter of an hour since the epoch, and when it began."""
    local = from_millis(quarter * _QUARTER).astimezone(zone)
    begun = datetime(local.year, local.month, 1, tzinfo=zone)
    return local.year * 12 + local.month - 1, to_millis(begun)
