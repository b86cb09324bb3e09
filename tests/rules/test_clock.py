"""The hour and the weekday of an event, by the bank's clocks."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.rules import RuleDefinition
from streams.context import CoreSettings
from streams.expressions.days import hour, weekday
from streams.rules.checked import CheckedRule, check_rule
from streams.rules.examples import play
from streams.waits.silence import is_seen_by
from tests.rules.test_explain import score
from tests.rules.test_never_fires import rule

ZONES = st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"])
TIMES = st.integers(600_000_000_000, 3_600_000_000_000)
NIGHT = "direction == 'out' and (hour < 6 or weekday >= 6)"


@given(TIMES, ZONES)
def test_they_are_those_of_the_banks_clocks(at: int, name: str) -> None:
    shown = datetime.fromtimestamp(at / 1_000, ZoneInfo(name))
    assert hour(at, ZoneInfo(name)) == shown.hour
    assert weekday(at, ZoneInfo(name)) == shown.isoweekday()


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-03-02 05:59", "5, 1"),  # a Monday
        ("2026-03-02 06:00", ""),
        ("2026-03-06 23:59", ""),
        ("2026-03-07 00:00", "0, 6"),
        ("2026-03-08 12:00", "12, 7"),
    ],
)
def test_a_transfer_at_night_or_at_the_weekend(at: str, said: str) -> None:
    text = {"en": "{hour}, {weekday}", "zh": "{hour}"}
    transfer = {"at": at, "event": "transfer.completed", "with": {"direction": "out", "amount": 5}}
    definition = rule(
        on="transfer.completed",
        then={"task": {"text": text}},
        examples=[{"title": "a", "given": [transfer], "expect": []}],
        **{"if": NIGHT},
    )
    core = CoreSettings(partitions=1)
    made = play(definition.examples[0], core.compiled([definition]), core, "examples.0")
    told: list[Any] = [one.data for one in made]
    assert [one.text["en"] for one in told] == ([said] if said else [])
    assert all({"hour", "weekday"} <= one.values.keys() for one in told)


def test_a_score_that_looks_at_the_hour_is_not_seen_in_silence() -> None:
    for condition, is_seen in (("", True), (" and hour < 6", False)):
        signal = {"points": 50, "if": f"count(logged.in, 30d) == 0{condition}"}
        changes = score(signal | {"reason": {"en": "A", "zh": "甲"}})
        definition = rule(on="page.viewed", **changes)
        checked = check_rule(RuleDefinition.model_validate(definition))
        assert isinstance(checked, CheckedRule)
        assert is_seen_by(checked) is is_seen
