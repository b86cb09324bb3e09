"""The demo's clock: whatever day it is, a public holiday is told of while somebody looks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, takewhile
from pathlib import Path

import pytest

from agents.backtest.archived import read_files
from agents.backtest.job import Question
from agents.backtest.run import run
from agents.bank.facts import facts
from agents.bank.lines import to_line
from agents.bank.plan import plan_of
from agents.bank.simulation import messages
from agents.clock import setting_millis
from agents.core import core_settings
from agents.local.demo_clock import DEMO_RATE, TOLD_AFTER_S
from agents.local.plan import Options, make_plan
from config.settings import Settings
from streams.backtest.tally import Span
from tests.shipped import shipped_rules

NOW = datetime(2026, 11, 29, 7, tzinfo=UTC)
MINE = {"clock": {"origin": NOW, "started": NOW}}


def settings_of(now: datetime, options: Options, **given: object) -> Settings:
    return make_plan(options, Settings.model_validate(given), Path("/data"), now).settings


def day(year: int, month: int, of_month: int) -> datetime:
    return datetime(year, month, of_month, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (NOW, "2026-12-25"),  # New Year's Day
        (day(2027, 2, 20), "2027-04-26"),  # Labour Day: on Tomb-sweeping Day nobody is greeted
        (day(2033, 1, 1), "2029-09-21"),  # the calendar has come to its end: its last one
    ],
)
@pytest.mark.parametrize("rate", [None, 1.0, 480.0])
def test_a_holiday_is_told_of_shortly_after_the_bank_goes_live(
    now: datetime, told: str, rate: float | None
) -> None:
    clock = settings_of(now, Options(clock_rate=rate)).clock
    assert clock.started == now
    assert clock.rate == rate or (rate is None and clock.rate == DEMO_RATE)
    assert clock.origin is not None
    moment = clock.origin + timedelta(seconds=TOLD_AFTER_S * clock.rate)
    assert moment == datetime.fromisoformat(f"{told}T09:00:00+08:00")


@pytest.mark.parametrize("options", [Options(bank=False), Options(broker="mine:9092")])
def test_where_others_send_events_it_is_the_real_time(options: Options) -> None:
    assert settings_of(NOW, options).clock == Settings().clock
    fast = settings_of(NOW, replace(options, clock_rate=9.0)).clock
    assert (fast.rate, fast.origin, fast.started) == (9.0, NOW, NOW)


def test_a_clock_of_ones_own_stays() -> None:
    assert settings_of(NOW, Options(), **MINE).clock.origin == NOW


def test_every_rule_fires_in_the_first_minute(tmp_path: Path) -> None:
    settings = settings_of(NOW, Options())
    assert settings.clock.origin is not None
    plan = replace(plan_of(settings, setting_millis(settings.clock.origin)), customers=160)
    end = plan.origin + round(60_000 * plan.pace)
    path = tmp_path / "bank.jsonl"
    with path.open("wb") as file:
        told = takewhile(lambda one: one.at < end, chain(facts(plan), messages(plan)))
        file.writelines(to_line(one) + b"\n" for one in told)
    core, rules = core_settings(settings), [one for one in shipped_rules() if one.status == "live"]
    question = Question(rules, [], core, Span(0, 0, core.time_zone))
    result = run(read_files([path]), question, end, 1, lambda *_: None, None)
    silent = [one.id for one in rules if not result.tally.of(one.id).became["fired"]]
    assert not silent, f"give them a storyline in agents/bank/storylines.yaml: {silent}"
