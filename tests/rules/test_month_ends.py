"""Assets at the ends of earlier months, as rules ask for them."""

from zoneinfo import ZoneInfo

from schemas.effects import Alert
from schemas.rule_examples import RuleExample
from schemas.rules import RuleDefinition
from streams.context import CoreSettings
from streams.durations import DAY_MS
from streams.rules.checked import check_rule
from streams.rules.compiler import compile_rules
from streams.rules.examples import play
from streams.waits import silence
from tests.lane.rules import rule

SETTINGS = CoreSettings(partitions=4, time_zone=ZoneInfo("Asia/Shanghai"))
SAYS = "month_end(base_assets, {ago})"


def seen(*given: dict[str, object], asks: str = SAYS) -> list[str]:
    """What a page view at the end of what is given is told: one to five months ago, and now."""
    names = [f"v{ago}" for ago in range(1, 6)]
    text = "|".join(f"{{{name}}}" for name in names)
    definition = RuleDefinition.model_validate(
        rule("a")
        | {
            "on": "page.viewed",
            "let": {name: asks.format(ago=ago) for ago, name in enumerate(names, 1)},
            "if": "true",
            "then": {"alert": {"text": {"en": text, "zh": text}}},
        }
    )
    rules = compile_rules([definition], zone=SETTINGS.time_zone)
    example = RuleExample.model_validate({"title": "all", "given": given, "expect": []})
    *_, made = play(example, rules, SETTINGS, "examples.0")
    assert isinstance(made, Alert)
    return [made.data.values[name] for name in names]


def balance(at: str, amount: int) -> dict[str, object]:
    return {"at": at, "event": "balance.reported", "with": {"account": "A1", "balance": amount}}


def loan(at: str, amount: int) -> dict[str, object]:
    told = {"loan": "L1", "kind": "mortgage", "base_amount": amount}
    return {"at": at, "event": "loan.drawn", "with": told}


def view(at: str) -> dict[str, object]:
    return {"at": at, "event": "page.viewed", "with": {"page_topic": "fund"}}


def test_what_there_was_at_the_ends_of_months() -> None:
    told = [
        balance("2026-01-31 23:30", 900),  # still January by the bank's clocks
        balance("2026-02-10", 500),
        balance("2026-02-20", 400),
        balance("2026-04-02", 100),
    ]
    assert seen(*told, view("2026-05-07")) == ["100", "400", "400", "900", "–"]


def test_an_event_that_comes_late_sees_its_own_months() -> None:
    told = [balance("2026-01-10", 900), balance("2026-03-10", 500), balance("2026-05-20", 100)]
    assert seen(*told, view("2026-04-30")) == ["500", "900", "900", "–", "–"]


def test_what_was_owed() -> None:
    owed = "month_end(base_loans, {ago})"
    told = [balance("2026-01-10", 900), balance("2026-04-10", 800)]
    assert seen(*told, view("2026-04-30"), asks=owed) == ["0", "0", "0", "–", "–"]
    told.append(loan("2026-02-10", 5_000))
    assert seen(*told, view("2026-04-30"), asks=owed) == ["5000", "5000", "0", "–", "–"]


def test_time_alone_changes_what_a_score_compares_with_a_month_before() -> None:
    signal = {
        "points": 50,
        "if": "profile.base_assets < 0.5 * month_end(base_assets, 3)",
        "reason": {"en": "A", "zh": "甲"},
    }
    score = {"name": "s", "threshold": 50, "release": 10, "signals": [signal]}
    alert = {"alert": {"text": {"en": "A", "zh": "甲"}}}
    definition = rule("a") | {"score": score, "if": "true", "then": alert}
    checked = check_rule(RuleDefinition.model_validate(definition))
    assert not isinstance(checked, list)
    assert silence.is_seen_by(checked)
    assert silence.lasts(checked) == 4 * 31 * DAY_MS + silence.AFTER
