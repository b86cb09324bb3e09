"""Windows against a brute-force list: any order, removals, encode and decode in between."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.record import Record
from streams import buckets
from streams.buckets.distinct import KEPT_DISTINCT
from streams.buckets.ends import Ends
from streams.buckets.extremes import KEPT_EXTREMES
from streams.buckets.kind import Kind, State
from streams.buckets.values import fit, scale, unscale
from streams.durations import DAY_MS
from streams.rules.compiler import compile_rules
from streams.windows import KEPT_BUCKETS, SPAN, Window, width_of
from tests.rules.test_amendable import ALERT, event_of, rule

HOUR = 3_600_000
LENGTHS = [60_000, HOUR, 5 * HOUR, DAY_MS, 3 * DAY_MS, 30 * DAY_MS, 90 * DAY_MS, 200 * DAY_MS]
ORIGIN = 1_700_000_000_000
KINDS: list[Kind] = [
    buckets.COUNTS,
    buckets.TOTALS,
    buckets.MINIMUM,
    buckets.MAXIMUM,
    buckets.DISTINCT,
    buckets.SQUARES,
    buckets.FIRST,
    buckets.LAST,
]
LATENESS = 30 * DAY_MS

pack = msgspec.msgpack.Encoder(decimal_format="string").encode


def reload(state: State) -> State:
    """As a record does between two chunks: untyped msgpack there and back."""
    again: State = msgspec.msgpack.decode(pack(state))
    return again


def kept(kind: Kind, at: int, value: int) -> Any:
    """What of an event goes into a window of this kind."""
    return [at, fit(value)] if isinstance(kind, Ends) else value


def brute_force(kind: Kind, values: list[Any]) -> Any:
    match kind.name:
        case "count":
            return len(values)
        case "total":
            return len(values), sum(values)
        case "squares":
            return len(values), sum(values), sum(value * value for value in values)
        case "first" | "last":
            ordered = sorted((at, str(value), value) for at, value in values)
            return ordered[kind.end][2] if ordered else None  # type: ignore[attr-defined]  # Ends
        case "min":
            return min(values, default=None)
        case "max":
            return max(values, default=None)
        case _:
            return len(set(values))


def in_window(at: int, end: int, length: int) -> bool:
    """The edges as streams/windows.py states them."""
    width = width_of(length)
    return (end - length) // width < at // width <= end // width


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, list[tuple[int, int, bool, bool]]]:
    """A length, and steps: (event time, value, take a former event out first, reload first)."""
    length = draw(st.sampled_from(LENGTHS))
    offsets = st.integers(0, min(3 * length, length + LATENESS))
    values = st.integers(-4, 4) | st.sampled_from([10**17, -(10**17), 2**63, 10**24])
    steps = st.tuples(offsets.map(ORIGIN.__add__), values, st.booleans(), st.booleans())
    return length, draw(st.lists(steps, max_size=20))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@given(history=histories())
def test_equals_a_list(kind: Kind, history: tuple[int, list[tuple[int, int, bool, bool]]]) -> None:
    length, steps = history
    window = Window(kind=kind, width=width_of(length), keep=length + LATENESS)
    state, latest, read = window.new(), 0, window.reader(length)
    held: list[tuple[int, Any]] = []
    for number, (at, value, take_out, again) in enumerate(steps):
        if again:
            state = reload(state)
        if take_out and held:
            window.remove(state, *held.pop(number % len(held)))
        latest = max(latest, at)
        if at < latest - LATENESS:
            continue
        given = kept(kind, at, value)
        window.add(state, at, given, latest)
        held.append((at, given))
        others = [v for t, v in held[:-1] if in_window(t, at, length)]
        assert read(state, at) == brute_force(kind, [*others, given])
        assert read(state, at, given) == brute_force(kind, others)
        assert reload(state) == state


@pytest.mark.parametrize("end", ["first", "last"])
@given(history=histories())
def test_ends_of_what_nothing_takes_back_equal_a_list(
    end: str, history: tuple[int, list[tuple[int, int, bool, bool]]]
) -> None:
    length, steps = history
    kinds = buckets.FOR_GOOD[end], buckets.FOR_GOOD_BUT_ONE[end]
    windows = [Window(kind=kind, width=width_of(length), keep=length + LATENESS) for kind in kinds]
    states, latest, held = [one.new() for one in windows], 0, list[tuple[int, Any]]()
    for at, value, _, again in steps:
        latest = max(latest, at)
        if at < latest - LATENESS:
            continue
        given = kept(kinds[0], at, value)
        for window, state in zip(windows, states, strict=True):
            window.add(state, at, given, latest)
        states = [reload(state) for state in states] if again else states
        others = [v for t, v in held if in_window(t, at, length)]
        held.append((at, given))
        alone, but_one = (one.reader(length) for one in windows)
        assert alone(states[0], at) == brute_force(kinds[0], [*others, given])
        assert but_one(states[1], at) == brute_force(kinds[1], [*others, given])
        assert but_one(states[1], at, given) == brute_force(kinds[1], others)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@given(st.lists(st.tuples(st.integers(0, 3 * HOUR), st.integers(-20, 20), st.booleans())))
def test_two_parts_make_the_whole(kind: Kind, events: list[tuple[int, int, bool]]) -> None:
    """Whatever lies in which: more than a bucket keeps, too."""
    window = Window(kind=kind, width=HOUR, keep=DAY_MS)
    whole, one, other = window.new(), window.new(), window.new()
    for at, value, is_other in events:
        for state in (whole, other if is_other else one):
            window.add(state, at, kept(kind, at, value), 3 * HOUR)
    window.merge(one, reload(other), 3 * HOUR)
    read = window.reader(DAY_MS)
    assert read(one, 3 * HOUR) == read(whole, 3 * HOUR)
    if kind is not buckets.DISTINCT:  # which ones it keeps is of no matter
        assert one == whole


@given(st.lists(st.integers(0, 100), max_size=30))
def test_taking_everything_out_leaves_nothing(values: list[int]) -> None:
    for kind in KINDS:
        window = Window(kind=kind, width=HOUR, keep=4 * DAY_MS)
        state = window.new()
        for value in values:
            at = ORIGIN + value * HOUR
            window.add(state, at, kept(kind, at, value % 3), ORIGIN + 100 * HOUR)
        for value in values:
            at = ORIGIN + value * HOUR
            window.remove(state, at, kept(kind, at, value % 3))
        assert state == window.new()


@given(
    st.permutations(range(2 * KEPT_EXTREMES)),
    st.lists(st.integers(0, 2 * KEPT_EXTREMES - 1), unique=True),
)
def test_extremes_beyond_what_is_kept_are_exact_or_unknown(
    values: list[int], removed: list[int]
) -> None:
    window = Window(kind=buckets.MINIMUM, width=HOUR, keep=DAY_MS)
    state = window.new()
    for value in values:
        window.add(state, ORIGIN, value, ORIGIN)
    for value in removed:
        window.remove(state, ORIGIN, value)
    left = set(values) - set(removed)
    read = window.reader(HOUR)(state, ORIGIN)
    assert read == min(left, default=None) or (read is None and state[1])
    if left and min(left) < KEPT_EXTREMES:
        assert read is not None


@given(st.lists(st.integers(0, 3 * KEPT_DISTINCT), max_size=150), st.data())
def test_distinct_is_exact_up_to_what_is_kept_and_never_too_much(
    values: list[int], data: st.DataObject
) -> None:
    window = Window(kind=buckets.DISTINCT, width=HOUR, keep=DAY_MS)
    state = window.new()
    for value in values:
        window.add(state, ORIGIN, value, ORIGIN)
    left = list(values)
    for _ in range(data.draw(st.integers(0, len(values)))):
        window.remove(state, ORIGIN, left.pop(0))
    read = window.reader(HOUR)(state, ORIGIN)
    assert read <= len(set(left))
    if len(set(values)) <= KEPT_DISTINCT:
        assert read == len(set(left))


def test_state_is_bounded_and_a_cut_window_is_unknown() -> None:
    """A minute-wide window, an event each minute for two days, then late ones."""
    window = Window(kind=buckets.COUNTS, width=60_000, keep=HOUR + LATENESS)
    state = window.new()
    for minute in range(2_880):
        at = ORIGIN + minute * 60_000
        window.add(state, at, 1, at)
        assert len(state[1]) <= KEPT_BUCKETS
        assert window.reader(HOUR)(state, at) == min(minute + 1, 60)
    latest = ORIGIN + 2_879 * 60_000
    window.add(state, ORIGIN, 1, latest)
    assert window.reader(HOUR)(state, ORIGIN) is None
    assert window.reader(HOUR)(state, latest) == 60


def test_old_buckets_go_by_event_time() -> None:
    window = Window(kind=buckets.TOTALS, width=DAY_MS, keep=30 * DAY_MS + LATENESS)
    state = window.new()
    for day in range(400):
        window.add(state, ORIGIN + day * DAY_MS, 5, ORIGIN + day * DAY_MS)
    assert len(state[1]) == 60
    assert state[0] == -1
    assert window.reader(30 * DAY_MS)(state, ORIGIN + 399 * DAY_MS) == (30, 150)


@given(st.integers(60_000, 1_830 * DAY_MS), st.integers(ORIGIN, ORIGIN + DAY_MS))
def test_a_window_has_few_buckets_and_holds_its_own_event(length: int, at: int) -> None:
    width = width_of(length)
    assert 1 <= at // width - (at - length) // width <= SPAN
    assert not in_window(at - length - width, at, length)


@given(st.decimals(-(10**14), 10**14, places=4))
def test_money_is_exact_there_and_back(amount: Decimal) -> None:
    assert unscale(scale(amount, 4), 4) == amount
    assert unscale(scale(amount, 8), 8) == amount


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Asia/Shanghai", "2026-03-08"),
        ("America/New_York", "2026-03-08"),
        ("America/New_York", "2026-11-01"),
        ("Australia/Lord_Howe", "2026-04-05"),
    ],
    ids=["without", "23 h", "25 h", "24.5 h"],
)
@pytest.mark.parametrize("text", ["count({}, 5d)", "last(page, {}, 5d)"])
def test_days_begin_at_the_bank_s_midnight(zone: str, day: str, text: str) -> None:
    """Also those on which its clocks are changed."""
    bank = ZoneInfo(zone)
    shown = datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=bank)
    midnight = int(shown.timestamp()) * 1_000
    let = {"n": text.format("page.viewed")}
    written = rule(on="page.viewed", let=let, then=ALERT, amendable=False, **{"if": "known(n)"})
    rules = compile_rules([written], zone=bank)
    (key,) = rules._aggregates.keys
    record = Record("C1")
    for number, at in enumerate((midnight - 1, midnight, midnight + DAY_MS + HOUR)):
        rules.apply(record, event_of("page.viewed", at, page=f"{number}"), late=False)
    first = shown.toordinal() - date(1970, 1, 1).toordinal()
    assert record.windows.get(key)[1] == [first - 1, first, first + 1]  # type: ignore[index]  # it is there
    end = int(datetime.fromisoformat(f"{day}T23:59:59").replace(tzinfo=bank).timestamp()) * 1_000
    readings = rules._aggregates.read(record.windows, end + 4 * DAY_MS)
    assert readings[0] in (2, "2"), "not what came before that midnight"
