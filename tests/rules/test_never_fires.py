"""What is refused because its parts together never hold does not fire, whatever comes."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.rules import RuleDefinition
from streams.attributes import NONE_DECLARED
from streams.context import CoreSettings
from streams.expressions.doubts import Codes
from streams.rules.checked import CheckedRule, check_rule
from streams.rules.doubts import doubts_of
from streams.rules.examples import play

CORE = CoreSettings(partitions=1)
CODES = Codes(frozenset(["CN"]), frozenset(["CNY"]))
TEXT = {"en": "a", "zh": "b"}
ORDER = ("<", "<=", ">", ">=", "==")


def rule(**more: Any) -> RuleDefinition:
    written = {
        "id": "a-rule",
        "version": 1,
        "title": TEXT,
        "kind": "care",
        "owner": "Tests",
        "status": "live",
        "if": "true",
        "then": {"task": {"text": TEXT}},
    }
    return RuleDefinition.model_validate(written | more)


def refused(definition: RuleDefinition) -> list[str]:
    checked = check_rule(definition)
    assert isinstance(checked, CheckedRule)
    found = doubts_of(checked, NONE_DECLARED, CODES)
    return [one.problem.message for one in found if one.is_certain]


def fires(definition: RuleDefinition, *given_: dict[str, Any], until: str | None = None) -> bool:
    example = {"title": "a", "given": given_, "until": until, "expect": []}
    with_example = RuleDefinition.model_validate(
        definition.model_dump(by_alias=True, exclude_none=True) | {"examples": [example]}
    )
    return bool(play(with_example.examples[0], CORE.compiled([definition]), CORE, "examples.0"))


def amounts(random: Random) -> str:
    return f"base_amount {random.choice(ORDER)} {random.randint(1, 4)}"


def score(random: Random) -> RuleDefinition:
    signals = [
        {"points": random.choice((-10, 10, 20, 30)), "if": amounts(random), "reason": TEXT}
        for _ in range(random.randint(1, 4))
    ]
    most = sum(one["points"] for one in signals if one["points"] > 0)
    signals[0]["points"] = signals[0]["points"] if most else 10
    threshold = random.randint(1, (most or 10) // 10) * 10
    asked = {"name": "s", "threshold": threshold, "release": 1, "signals": signals}
    condition = amounts(random) if random.random() < 0.5 else "true"
    return rule(on="transfer.completed", score=asked, **{"if": condition})


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=True))
def test_a_score_out_of_reach(random: Random) -> None:
    """Of signals about one value all is seen, but for those that take points."""
    definition = score(random)
    assert definition.score is not None
    ever = any(
        fires(
            definition,
            {
                "at": "2026-03-01",
                "event": "transfer.completed",
                "with": {"direction": "in", "base_amount": str(tenths / 2), "amount": 1},
            },
        )
        for tenths in range(1, 11)
    )
    found = refused(definition)
    if found:
        assert not ever, (definition, found)
    elif all(one.points > 0 for one in definition.score.signals):
        assert ever, definition


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=True))
def test_days_until_a_date_that_is_waited_for(random: Random) -> None:
    """However late or early it is told, and whether or not it moves."""
    which = random.choice(("days", "business_days")), random.choice(("before", "after"))
    number = random.randint(0, 12)
    asked = random.choice(("days_until(matures_on)", "days_since(matures_on)"))
    written = f"{asked} {random.choice(ORDER)} {random.randint(-16, 16)}"
    definition = rule(
        on=["deposit.placed", "deposit.renewed"],
        wait={which[0]: number, which[1]: "matures_on", "at": "00:00"},
        **{"if": written},
    )
    if not refused(definition):
        return
    day = f"2026-03-{random.randint(1, 30):02}"
    deposit = {"deposit": "D", "principal": 5, "rate": "0.02"}
    placed = {"at": f"{day} 20:00", "event": "deposit.placed"}
    placed["with"] = deposit | {"matures_on": f"2026-03-{random.randint(1, 30):02}"}
    moved = {"at": f"+{random.randint(1, 20)}d", "event": "deposit.renewed"}
    moved["with"] = deposit | {"matures_on": f"2026-04-{random.randint(1, 30):02}"}
    is_made = fires(definition, placed, moved, until="2026-06-30")
    assert not is_made, (definition.wait, written, placed, moved)


WAIT = {"days": 7, "before": "matures_on"}


@pytest.mark.parametrize(
    ("wait", "condition", "is_refused"),
    [
        (WAIT, "days_until(matures_on) > 10", True),
        (WAIT, "days_since(matures_on) < -7", True),
        (WAIT, "days_until(matures_on) == 7", False),
        (WAIT, "days_until(matures_on) < 7", False),  # told late, it fires at once
        ({"business_days": 5, "before": "matures_on"}, "days_until(matures_on) > 10", False),
        ({"business_days": 5, "after": "matures_on"}, "days_until(matures_on) > -5", True),
        ({"days": 5, "after": "matures_on"}, "days_until(matures_on) > -5", True),
        ({"days": 5, "after": "matures_on"}, "days_since(matures_on) >= 5", False),
    ],
)
def test_what_a_wait_says_of_its_date(
    wait: dict[str, Any], condition: str, is_refused: bool
) -> None:
    definition = rule(on="deposit.placed", wait=wait, **{"if": condition})
    assert bool(refused(definition)) is is_refused


def test_many_signals_are_looked_at_in_bounded_time() -> None:
    signals = [
        {"points": 5, "if": f"base_amount > {number} and amount > 5", "reason": TEXT}
        for number in range(20)
    ]
    asked = {"name": "s", "threshold": 100, "release": 1, "signals": signals}
    assert not refused(rule(on="transfer.completed", score=asked))
    assert refused(rule(on="transfer.completed", score=asked, **{"if": "amount < 5"}))
