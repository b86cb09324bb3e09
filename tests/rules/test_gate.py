"""What lets a rule fire whose condition holds: days, a share of the customers, pauses."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.durations import DAY_MS
from streams.rules.compiler import compile_rules
from streams.rules.gate import Closed, gate_of, percentile
from tests.rules.maker import ORIGIN
from tests.rules.test_library import Customer

RULE = {
    "id": "a-rule",
    "version": 1,
    "title": {"en": "A", "zh": "甲"},
    "kind": "care",
    "owner": "tests",
    "status": "live",
    "on": "page.viewed",
    "if": "true",
    "then": {"task": {"text": {"en": "A", "zh": "甲"}}},
}


def rule(**change: Any) -> RuleDefinition:
    return RuleDefinition.model_validate({**RULE, **change})


def millis(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


def fired(definition: RuleDefinition, *days: float) -> list[bool]:
    """Whether it fires at events so many days after the origin, in this order."""
    customer = Customer()
    customer.rules = compile_rules([definition])
    data = {"page": "Tuition", "page_topic": "study-abroad"}
    times = [ORIGIN + int(day * DAY_MS) for day in days]
    return [bool(customer.send("page.viewed", at, **data).firings) for at in times]


def test_a_rule_without_any_has_no_gate() -> None:
    assert gate_of(rule()) is None
    assert gate_of(rule(rollout=100)) is None


def test_days_are_the_banks() -> None:
    active = {"from": "2026-02-16", "until": "2026-02-22"}
    gate = gate_of(rule(active=active), ZoneInfo("Asia/Shanghai"))
    assert gate is not None
    told = {
        text: gate.closed(Record("C1"), millis(text))
        for text in (
            "2026-02-15T15:59:59",
            "2026-02-15T16:00:00",
            "2026-02-22T15:59:59",
            "2026-02-22T16:00:00",
        )
    }
    assert list(told.values()) == [Closed.INACTIVE, None, None, Closed.INACTIVE]


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_the_calendars_last_day_never_ends(zone: str) -> None:
    assert gate_of(rule(active={"until": "9999-12-31"}), ZoneInfo(zone)) is None
    gate = gate_of(rule(active={"from": "2026-02-16", "until": "9999-12-31"}), ZoneInfo(zone))
    assert gate is not None
    assert gate.closed(Record("C1"), millis("9999-12-31T23:59:59")) is None


@pytest.mark.parametrize("percent", [1, 20, 50, 99])
def test_a_rollout_takes_its_share_of_the_customers(percent: int) -> None:
    gate = gate_of(rule(rollout=percent))
    assert gate is not None
    taken = sum(gate.closed(Record(f"C{n:07}"), 0) is None for n in range(10_000))
    assert abs(taken - 100 * percent) < 250  # five standard deviations at most


def test_rollouts_of_two_rules_are_unrelated() -> None:
    customers = [f"C{n:07}" for n in range(10_000)]
    both = sum(percentile("one", name) < 50 and percentile("two", name) < 50 for name in customers)
    assert abs(both - 2_500) < 220


def test_a_cooldown() -> None:
    assert fired(rule(cooldown="2d"), 0, 1, 1.9, 2, 3) == [True, False, False, True, False]


def test_a_limit_counts_within_its_time() -> None:
    limited = rule(limit={"times": 2, "within": "10d"})
    assert fired(limited, 0, 1, 2, 9.9, 10, 10.5, 11) == [
        True,
        True,
        False,
        False,
        True,
        False,
        True,
    ]


def test_a_late_event_does_not_slip_through() -> None:
    assert fired(rule(cooldown="2d"), 5, 1) == [True, False]
    assert fired(rule(limit={"times": 1, "within": "2d"}), 5, 1) == [True, False]


def test_unless_hinders_only_where_it_is_true() -> None:
    # A fixed page topic: 'study-abroad'.
    assert fired(rule(unless="page_topic == 'study-abroad'"), 0) == [False]
    assert fired(rule(unless="page_topic == 'funds'"), 0) == [True]
    assert fired(rule(unless="profile.tier == 'diamond'"), 0) == [True], "nobody knows the tier"
    assert fired(rule(**{"if": "page == 'x'"}, unless="page_topic == 'funds'"), 0) == [False]


def test_a_holdout_withholds_from_its_share_and_tells() -> None:
    customer, outcomes = Customer(), []
    customer.rules = compile_rules([rule(holdout=20)])
    for number in range(2_000):
        customer.record = Record(f"C{number:07}")
        data = {"page": "Tuition", "page_topic": "study-abroad"}
        (firing,) = customer.send("page.viewed", ORIGIN, **data).firings
        outcomes.append(firing.withheld)
    assert set(outcomes) == {None, "held_out"}
    assert abs(outcomes.count("held_out") - 400) < 90


@pytest.mark.parametrize("kind", ["risk", "service"])
def test_help_is_not_withheld(kind: str) -> None:
    with pytest.raises(ValueError, match=f"a {kind} rule has no holdout"):
        rule(holdout=20, kind=kind)
