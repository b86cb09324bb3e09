"""Streaks against a list: any order, removals, bounds, encode and decode in between."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams.buckets.kind import State
from streams.streaks import BREAKS, COUNTS, KEPT_MARKS, LONGEST_STREAK, Streak

ORIGIN = 1_700_000_000_000
LENGTH = 1_000
LATENESS = 500
STREAK = Streak(keep=LENGTH + LATENESS)

Mark = tuple[int, int]


def reload(state: State) -> State:
    again: State = msgspec.msgpack.decode(msgspec.msgpack.encode(state))
    return again


def brute_force(held: list[Mark], end: int) -> int:
    streak = 0
    for at, value in sorted(held, key=lambda mark: (mark[0], value_last(mark[1]))):
        if end - LENGTH < at <= end:
            streak = streak + 1 if value == COUNTS else 0
    return min(streak, LONGEST_STREAK)


def value_last(value: int) -> bool:
    return value == BREAKS


moments = st.integers(0, 3 * LENGTH).map(lambda step: ORIGIN + step // 10 * 10)
marks = st.tuples(moments, st.sampled_from([COUNTS, COUNTS, COUNTS, BREAKS]))


@given(st.lists(st.tuples(marks, st.booleans(), st.booleans()), max_size=40))
def test_equals_a_list(steps: list[tuple[Mark, bool, bool]]) -> None:
    state, latest, read = STREAK.new(), 0, STREAK.reader(LENGTH)
    held: list[Mark] = []
    for number, (mark, take_out, again) in enumerate(steps):
        if again:
            state = reload(state)
        if take_out and held:
            STREAK.remove(state, *held.pop(number % len(held)))
        at, value = mark
        latest = max(latest, at)
        if at < latest - LATENESS:
            continue
        STREAK.add(state, at, value, latest)
        assert read(state, at, value) == brute_force(held, at)
        held.append(mark)
        assert read(state, at) == brute_force(held, at)
        assert read(state, latest) == brute_force(held, latest)


@given(st.lists(marks.map(lambda mark: (ORIGIN + mark[0] % 300, mark[1])), min_size=100))
def test_beyond_the_bound_it_is_exact_or_unknown(many: list[Mark]) -> None:
    state, read = STREAK.new(), STREAK.reader(LENGTH)
    held: list[Mark] = []
    latest = 0
    for mark in many:
        latest = max(latest, mark[0])
        STREAK.add(state, *mark, latest)
        held.append(mark)
        assert len(state[1]) <= KEPT_MARKS
        for at in (mark[0], latest):
            assert read(state, at) in (brute_force(held, at), None)


def test_a_long_streak_is_known_to_be_long() -> None:
    state, read = STREAK.new(), STREAK.reader(LENGTH)
    for at in range(ORIGIN, ORIGIN + 400):
        STREAK.add(state, at, COUNTS, at)
    assert read(state, ORIGIN + 399) == LONGEST_STREAK
    assert read(state, ORIGIN + 399 - KEPT_MARKS + 2) is None
    STREAK.add(state, ORIGIN + 400, BREAKS, ORIGIN + 400)
    assert read(state, ORIGIN + 400) == 0


def test_what_is_too_old_goes() -> None:
    state = STREAK.new()
    for at in range(ORIGIN, ORIGIN + 40 * LENGTH, LENGTH):
        STREAK.add(state, at, COUNTS, at)
    assert len(state[1]) == 2
    assert state[0] == -1
