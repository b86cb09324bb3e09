"""`vipcare rules explain`, through the command line itself."""

import json

import pytest

from agents.cli.main import run
from config.load_rules import SHIPPED


def test_all_rules_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "explain"]) == 0
    told = capsys.readouterr().out
    assert "unusual-amount@" in told
    assert "异常大额转账" in told


def test_one_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "explain", "unusual-amount", "--json"]) == 0
    (rule,) = json.loads(capsys.readouterr().out).values()
    assert rule["en"].startswith("When a transfer is completed, if the direction is “out”")


def test_how_long_before_holidays(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIPCARE_STEP__HOLIDAYS_AHEAD", "3")
    assert run(["rules", "explain", str(SHIPPED / "holiday-greeting.yaml")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Holidays are told 3 business days before their first day off." in told


def test_an_unknown_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "explain", "unusual-amont"]) == 2
    assert "did you mean unusual-amount?" in capsys.readouterr().err


def test_a_file_is_said_without_asking_what_is_in_force(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["rules", "explain", str(SHIPPED / "jubilee.yaml")]) == 0
    out, err = capsys.readouterr()
    assert "jubilee@" in out
    assert err == ""
    assert run(["rules", "explain", "jubilee", str(SHIPPED / "anniversary.yaml")]) == 0
    out, err = capsys.readouterr()
    assert "jubilee@" in out
    assert "anniversary@" in out
    assert err.startswith("rules ")
