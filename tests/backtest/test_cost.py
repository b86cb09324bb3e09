"""What a rule costs is measured on what it does, and what it does is what a backtest says."""

import json
from itertools import count, islice
from pathlib import Path

import pytest

from agents.backtest.profiling import Sample, simulated
from agents.cli.main import run
from agents.core import core_settings
from config.load import load_settings
from schemas.rules import RuleDefinition
from streams.backtest.cost import cost_of
from streams.backtest.play import Trial, play
from tests.shipped import shipped_rules


@pytest.fixture(scope="module")
def sample() -> Sample:
    settings = load_settings()
    return Sample(simulated(settings), core_settings(settings), 6_000)


def rules() -> dict[str, RuleDefinition]:
    return {rule.id: rule for rule in shipped_rules()}


def test_a_clock_that_ticks_once_a_look(sample: Sample) -> None:
    """Every look takes one tick, which is what the clock costs by itself: nothing is left."""
    ticks = count()
    rule = rules()["unusual-frequency"]
    cost = cost_of(rule, sample.customers, sample.core, sample.facts, lambda: next(ticks))
    assert cost.nanos == 0
    assert cost.events == cost.evaluated > 100


def test_it_fires_as_in_a_backtest_and_holds_at_least_as_often(sample: Sample) -> None:
    for rule in rules().values():
        cost = sample.cost(rule)
        compiled, fired = sample.core.compiled([rule]), 0
        for customer, entries in sample.customers.items():
            end = max((one.input.at for one in entries if one.input), default=0)
            trial = Trial(compiled, sample.core, sample.facts, end)
            counts = play(customer, entries, trial).counts
            fired += counts[f"fired:{rule.id}"] + counts[f"held_out:{rule.id}"]
        assert cost.fired == fired
        assert cost.fired <= cost.held <= cost.evaluated
        assert (cost.nanos > 0) == (cost.events > 0)


def test_a_cooldown_holds_back(sample: Sample) -> None:
    text = {"en": "A", "zh": "甲"}
    cost = sample.cost(
        RuleDefinition.model_validate(
            {
                "id": "often",
                "version": 1,
                "title": text,
                "kind": "care",
                "owner": "tests",
                "status": "draft",
                "on": "page.viewed",
                "if": "true",
                "then": {"alert": {"text": text}},
                "cooldown": "30d",
            }
        )
    )
    assert cost.held == cost.evaluated
    assert 0 < cost.fired < cost.held


def test_the_simulated_bank_does_not_end() -> None:
    assert len([*islice(simulated(load_settings()), 500)]) == 500


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "profile", "--most", "2000", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["messages"] == 2_000
    assert told["rules"].keys() == {f"{one.id}@{one.version}" for one in rules().values()}
    costs = [one["micros_of_all"] for one in told["rules"].values()]
    assert costs == sorted(costs, reverse=True)
    assert run(["rules", "profile", "unusual-amount", "--most", "500"]) == 0
    assert "unusual-amount@" in capsys.readouterr().out


def test_what_holds_no_event_costs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    junk = tmp_path / "junk.jsonl"
    junk.write_text('{"a": 1}\n' * 20)
    for most, said in (("100", "junk.jsonl:1: Object missing required"), ("10", "no event among")):
        assert run(["rules", "profile", "--events", str(junk), "--most", most]) == 2
        assert said in capsys.readouterr().err
