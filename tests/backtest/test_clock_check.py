"""A shell whose clock is not the workers' is told so, and nothing of its clock is believed."""

from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Producer

from agents.cli.main import run
from agents.clock import real_millis
from agents.clock_check import ClockError, checked_now
from agents.topics import create
from config.settings import Settings
from schemas.position import Position, encode_position

pytestmark = pytest.mark.broker
AHEAD = timedelta(days=90)


@pytest.fixture
def settings(fresh_broker: str) -> Settings:
    """Of a bank that is 90 days ahead; its journal is longer than what is read of it."""
    found = Settings.model_validate({"kafka": {"bootstrap": fresh_broker, "transactions": False}})
    create(found)
    producer, now = Producer({"bootstrap.servers": fresh_broker}), real_millis()
    for number in range(300):
        there = now + number - 299 + AHEAD // timedelta(milliseconds=1)
        position = Position(partition=2, number=number + 1, ranges={}, now=there, rules="")
        producer.produce("vip.journal", encode_position(position), b"2", 2)
    assert producer.flush(5) == 0
    return found


@pytest.mark.parametrize(
    "command",
    [
        ("backtest", "--source", "kafka"),
        ("warm", "churn-warning", "--source", "kafka", "--dry-run"),
        ("why", "churn-warning", "C1"),
    ],
)
def test_another_clock_is_refused(
    settings: Settings,
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("VIPCARE_KAFKA__BOOTSTRAP", settings.kafka.bootstrap)
    monkeypatch.setenv("VIPCARE_KAFKA__TRANSACTIONS", "false")
    assert run(["rules", *command]) == 2
    told = capsys.readouterr().err
    assert "the clock here is behind the workers'" in told
    assert "VIPCARE_CLOCK__STARTED" in told
    assert ". .vipcare/env" in told


def test_the_workers_clock_is_believed(settings: Settings) -> None:
    started = datetime.now(UTC)
    clock = {"rate": 1, "origin": started + AHEAD, "started": started}
    ours = Settings.model_validate({"kafka": settings.kafka, "clock": clock})
    then = real_millis() + AHEAD // timedelta(milliseconds=1)
    assert 0 <= checked_now(ours) - then < 60_000
    further = {**clock, "origin": started + 2 * AHEAD}
    with pytest.raises(ClockError, match="ahead of the workers'"):
        checked_now(Settings.model_validate({"kafka": settings.kafka, "clock": further}))
