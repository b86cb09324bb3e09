"""How far back windows reach: since rules came into force, whatever comes and goes."""

from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import to_millis
from schemas.position import NOT_YET
from streams.durations import DAY_MS
from streams.reach import LookBack, Reach

MONTH = 30 * DAY_MS


def test_a_rule_is_warm_once_its_windows_hold_its_whole_span() -> None:
    reach = Reach({}).advance({"k": MONTH}, 1_000, 1, 0)
    assert reach.warm_from([LookBack("k", MONTH)], UTC) == 1_000 + MONTH
    assert reach.warm_from([LookBack("k", DAY_MS)], UTC) == 1_000 + DAY_MS
    assert reach.warm_from([], UTC) == 0


def test_calendar_months_count_from_their_beginning() -> None:
    zone = ZoneInfo("Asia/Shanghai")

    def instant(*day: int) -> int:
        return to_millis(datetime(*day, tzinfo=zone))  # type: ignore[arg-type]  # three of them

    look = LookBack("k", 0, -2)
    reach = Reach({}).advance({"k": look.back}, instant(2026, 11, 20), 1, 0)
    assert reach.warm_from([look], zone) == instant(2027, 2, 1)
    reach = Reach({}).advance({"k": look.back}, instant(2026, 11, 1), 1, 0)
    assert reach.warm_from([look], zone) == instant(2027, 1, 1)


def test_a_window_that_is_kept_longer_has_dropped_what_lay_further_back() -> None:
    reach = Reach({}).advance({"k": MONTH}, 0 + DAY_MS, 1, 0)
    soon = reach.advance({"k": 3 * MONTH}, 2 * DAY_MS, 2, 0).kept["k"]
    assert (soon.time, soon.filled) == (DAY_MS, False)
    later = reach.advance({"k": 3 * MONTH}, 5 * MONTH, 9, 4 * MONTH).kept["k"]
    assert (later.time, later.grown, later.upto) == (4 * MONTH, 9, 3 * MONTH)


def test_time_that_is_not_known_yet_is_taken_up_when_it_is() -> None:
    reach = Reach({}).advance(asked := {"k": MONTH}, NOT_YET, 1, 0)
    assert reach.warm_from([LookBack("k", MONTH)], UTC) > 2**60
    assert reach.advance(asked, 7_000, 2, 0).kept["k"].time == 7_000


def test_records_of_an_earlier_version_are_taken_for_warm() -> None:
    reach = Reach(None).advance({"k": MONTH}, 7_000, 12, 0)
    assert reach.warm_from([LookBack("k", MONTH)], UTC) == 0
    assert not reach.lacks("k", 0)


@given(st.randoms(use_true_random=False))
def test_nothing_is_said_to_be_kept_that_is_not(chance: Random) -> None:
    """A twin that keeps the days themselves."""
    reach, days = Reach({}), dict[str, set[int]]()
    for day in range(1, chance.randint(2, 60)):
        if day == 1 or chance.random() < 0.3:
            names = [name for name in "abc" if chance.random() < 0.6]
            asked = {name: chance.randint(1, 20) * DAY_MS for name in names}
        days = {
            name: {one for one in days.get(name, set()) if one > day - back // DAY_MS} | {day}
            for name, back in asked.items()
        }
        reach = reach.advance(asked, day * DAY_MS, day, 0)
        assert reach.kept.keys() == days.keys()
        for name, since in reach.kept.items():
            oldest = max(since.time, day * DAY_MS - since.back + DAY_MS) // DAY_MS
            assert set(range(oldest, day + 1)) <= days[name]
