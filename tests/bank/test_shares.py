"""What goes wrong does so in the shares that were asked for, each for itself."""

from collections import Counter
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.bank.message import Message
from agents.bank.plan import Plan
from agents.bank.shares import Share
from schemas.decode import BrokenEventError, UnknownTypeError, decode_event
from schemas.envelope import to_millis
from tests.bank.test_simulation import SMALL, told

HOUR_MS = 3_600_000
NOTHING_WRONG = replace(SMALL, duplicates=0.0, late=0.0, broken=0.0, mis_keyed=0.0)


class Found(NamedTuple):
    events: int
    duplicates: int
    late: int
    broken: int
    mis_keyed: int


def found(plan: Plan) -> Found:
    """What a reader of the topics sees: good events, and each thing that is wrong."""
    counts: Counter[str] = Counter()
    seen: dict[str, Any] = {}
    for message in told(plan):
        counts[_kind(message, plan, seen)] += 1
    late = counts["late"]
    return Found(
        counts["event"] + late, counts["duplicate"], late, counts["broken"], counts["mis-keyed"]
    )


def _kind(message: Message, plan: Plan, seen: dict[str, Any]) -> str:
    try:
        event = decode_event(message.value)
    except (BrokenEventError, UnknownTypeError):
        return "broken"
    at = to_millis(event.time)
    if event.subject.encode() != message.key:
        return "mis-keyed"
    if at > message.at + 300_000 * plan.pace:
        return "broken"  # the future
    if event.id in seen:
        return "duplicate" if seen[event.id] == message.value else "broken"  # a second version
    seen[event.id] = message.value
    return "late" if message.at - at >= HOUR_MS / 2 else "event"


@pytest.mark.parametrize("share", ["duplicates", "late", "broken", "mis_keyed"])
@pytest.mark.parametrize("asked", [0.004, 0.05, 0.3])
def test_a_share_is_as_asked_and_the_others_are_nothing(share: str, asked: float) -> None:
    counts = found(replace(NOTHING_WRONG, **{share: asked}))
    for name in ("duplicates", "late", "broken", "mis_keyed"):
        expected = counts.events * asked if name == share else 0
        # Duplicates come a little later than their events: some fall beyond the end. Nothing can
        # be late in the bank's first hours, nor when a story goes on in its own time.
        slack = max(2.0, expected * 0.08) if name == share else 0
        assert getattr(counts, name) == pytest.approx(expected, abs=slack), name


def test_all_at_once() -> None:
    plan = replace(SMALL, duplicates=0.02, late=0.01, broken=0.03, mis_keyed=0.015)
    counts = found(plan)
    for name in ("duplicates", "late", "broken", "mis_keyed"):
        share = getattr(counts, name) / counts.events
        assert share == pytest.approx(getattr(plan, name), rel=0.08), name


@given(st.floats(0, 0.5), st.floats(0, 0.999), st.integers(0, 2_000))
def test_a_share_is_never_off_by_more_than_one(share: float, begin: float, count: int) -> None:
    one = Share(share, begin)
    picked = 0
    for _ in range(count):
        one.count()
        picked += one.pick()
    assert abs(picked - share * count) <= 1.0001
