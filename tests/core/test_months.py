"""Months, and what the bank's clocks show: as a datetime tells them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from schemas.envelope import from_millis, to_millis
from streams.months import clocks, moment, time_at

ZONES = [
    UTC,
    *map(ZoneInfo, ("Asia/Shanghai", "Europe/Zurich", "Asia/Kathmandu", "Australia/Lord_Howe")),
]
FIRST, LAST = (to_millis(datetime(year, 1, 1, tzinfo=UTC)) // 900_000 for year in (1990, 2037))
QUARTERS = st.builds(
    lambda quarter, beside: quarter * 900_000 + beside,
    st.integers(FIRST + 1, LAST),
    st.sampled_from([-1, 0, 1]) | st.integers(0, 899_999),
)
CHANGED = to_millis(datetime(2026, 3, 29, 1, tzinfo=UTC))
"""When Zurich's clocks were put forward."""


@given(QUARTERS, st.sampled_from(ZONES))
@example(CHANGED - 1, ZONES[2])
@example(CHANGED, ZONES[2])
@example(to_millis(datetime(2026, 3, 31, 15, 59, tzinfo=UTC)), ZONES[1])
@example(to_millis(datetime(2026, 3, 31, 16, tzinfo=UTC)), ZONES[1])
def test_a_time_is_in_the_month_that_the_clocks_show(at: int, zone: ZoneInfo) -> None:
    local = from_millis(at).astimezone(zone)
    number = local.year * 12 + local.month - 1
    when = moment(at, zone)
    assert (when.at, when.month) == (at, number)
    assert when.since == at - to_millis(datetime(local.year, local.month, 1, tzinfo=zone))
    shown = (local.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        milliseconds=1
    )
    assert clocks(at, zone) == (at, shown, number)


def test_the_time_for_people_has_seconds_where_there_are_some() -> None:
    told = [time_at(CHANGED + beside, ZONES[2]) for beside in (-1_000, 0, 59_999)]
    assert told == ["2026-03-29 01:59:59", "2026-03-29 03:00", "2026-03-29 03:00:59"]
