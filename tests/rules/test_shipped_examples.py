"""The rules that ship are in order in every bank, whatever it sets: a worker starts with them."""

from pathlib import Path

import pytest

from agents.cli.main import run
from agents.core import rule_set
from agents.rules import read_rules
from config.load import load_settings
from config.load_rules import SHIPPED
from schemas.effects import ActionTaken
from streams.rules.examples import bare, play
from tests.shipped import PLAIN

CALENDARS = {
    "weekends": "title: {en: A, zh: 甲}\nyears: {first: 2020, announced: 2026, last: 2029}\n"
    "holidays: []\n",
    "holidays": "title: {en: A, zh: 甲}\nyears: {first: 2020, announced: 2026, last: 2029}\n"
    "holidays:\n"
    "  - {name: {en: B, zh: 乙}, day: 2026-03-05, first: 2026-03-04, last: 2026-03-06}\n"
    "  - {name: {en: C, zh: 丙}, day: 2026-07-03, first: 2026-07-01, last: 2026-07-06}\n",
}


@pytest.mark.parametrize("calendar", ["", *CALENDARS])
@pytest.mark.parametrize(
    "zone", ["Asia/Shanghai", "America/New_York", "Europe/London", "Pacific/Apia"]
)
def test_in_every_zone_with_every_calendar(
    zone: str, calendar: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIPCARE_STEP__TIME_ZONE", zone)
    if calendar:
        path = tmp_path / "calendar.yaml"
        path.write_text(CALENDARS[calendar])
        monkeypatch.setenv("VIPCARE_STEP__CALENDAR", str(path))
    assert run(["rules", "test"]) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BASE_CURRENCY", "USD"),
        ("LANGUAGE", "en"),
        ("LATENESS_DAYS", "0"),
        ("DUPLICATES_KEPT", "1"),
        ("FUTURE_TOLERANCE_S", "0"),
        ("HOLIDAYS_AHEAD", "0"),
    ],
)
def test_with_every_setting(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"VIPCARE_STEP__{name}", value)
    monkeypatch.setenv("VIPCARE_WORKER__RULES", str(SHIPPED))
    assert rule_set(load_settings()).definitions


def test_with_templates_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for occasion in ("birthday", "anniversary", "holiday"):
        (tmp_path / f"{occasion}.yaml").write_text(
            f"occasion: {occasion}\ntemplates:\n"
            f"  - {{id: {occasion}-one, texts: {{zh: 祝好, en: All the best}}}}\n"
            f"  - {{id: {occasion}-two, texts: {{zh: 祝一切都好, en: All the best to you}}}}\n"
        )
    monkeypatch.setenv("VIPCARE_STEP__TEMPLATES", str(tmp_path))
    assert run(["rules", "test"]) == 0


def test_which_templates_that_ship_the_examples_choose() -> None:
    core = bare(PLAIN)
    rules, _ = read_rules([SHIPPED / "holiday-greeting.yaml"], core)
    [rule] = rules.definitions
    chosen = [
        one.data
        for example in rule.examples
        for one in play(example, rules, core, "")
        if isinstance(one, ActionTaken)
    ]
    assert "Mid-Autumn Festival" in chosen[0].text["en"]
    assert chosen[1].name == "spring-festival-diamond"
    days = ["2026-09-25", "2026-02-17", "2025-10-01"]
    assert [one.values["send_on"] for one in chosen] == days, "on which a sender sends it"
