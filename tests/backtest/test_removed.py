"""What Kafka has removed of some topics and not of others: days and windows go by each topic's own,
not by the oldest event of all."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from agents.cli.main import run
from agents.librdkafka import librdkafka_config
from agents.topics import create
from config.settings import Settings
from tests.backtest.test_on_kafka import remove
from tests.kafka_server import KafkaServer
from tests.lane.process import settings_for, variables

pytestmark = pytest.mark.kafka

RULE = """\
id: {id}
version: 1
title: {{en: Often, zh: 频繁}}
kind: opportunity
owner: tests
status: live
on: {on}
if: {condition}
then:
  task:
    text: {{en: "!", zh: "!"}}
"""
_DAYS, _REMOVED = 20, 8
_SINCE = datetime.now(UTC).replace(microsecond=0) - timedelta(days=_DAYS, hours=1)


def event(name: str, day: int, kind: str, **data: str) -> tuple[str, int]:
    """With when it was sent, which is when it happened."""
    at = _SINCE + timedelta(days=day)
    told = {
        "specversion": "1.0",
        "id": name,
        "source": "test",
        "type": kind,
        "subject": "C1",
        "time": at.isoformat(),
        "data": data,
    }
    return json.dumps(told), int(at.timestamp() * 1000)


def fill(settings: Settings) -> None:
    """Of each topic an event a day; Kafka has removed the first ones of bank.core."""
    producer = Producer(librdkafka_config(settings.kafka))
    transfer = {"account": "A1", "direction": "out", "amount": "600", "currency": "CNY"}
    for day in range(_DAYS):
        value, at = event(f"t{day}", day, "transfer.completed", transfer=f"T{day}", **transfer)
        producer.produce("bank.core", value, b"C1", 0, timestamp=at)
        value, at = event(f"l{day}", day, "logged.in", channel="app")
        producer.produce("bank.app", value, b"C1", 0, timestamp=at)
    assert producer.flush(10) == 0
    remove(settings, "bank.core", 0, _REMOVED)


def test_each_topic_by_itself(
    fresh_kafka: KafkaServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    settings = settings_for(
        fresh_kafka.bootstrap, tmp_path / "data", transactions=True, partitions=1
    )
    create(settings)
    for name, value in variables(settings).items():
        monkeypatch.setenv(name, value)
    fill(settings)
    rules: Any = {
        "logins": ("logged.in", "count(logged.in, 3d) >= 1"),
        "transfers": ("transfer.completed", "count(transfer.completed, 3d) >= 1"),
        "both": ("logged.in", "count(transfer.completed, 3d) >= 1"),
    }
    (tmp_path / "rules").mkdir()
    for name, (on, condition) in rules.items():
        text = RULE.format(id=name, on=on, condition=condition)
        (tmp_path / "rules" / f"{name}.yaml").write_text(text)
    asked = ["rules", "backtest", str(tmp_path / "rules"), "--source", "kafka"]
    capfd.readouterr()
    assert run([*asked, "--json"]) == 0
    told = json.loads(capfd.readouterr().out)

    cut = _SINCE + timedelta(days=_REMOVED)
    assert {topic: datetime.fromisoformat(at) for topic, at in told["begins"].items()} == {
        "bank.core": cut
    }
    found = told["rules"]
    warm = {name: datetime.fromisoformat(found[name]["warm_from"]) for name in rules}
    later = cut + timedelta(days=3)
    early = _SINCE + timedelta(days=3)
    assert warm == {"logins": early, "transfers": later, "both": later}
    assert told["days"] - found["transfers"]["days"] == _REMOVED
    assert told["days"] == found["logins"]["days"] == found["both"]["days"]
    transfers = found["transfers"]
    assert transfers["fired"] == _DAYS - _REMOVED
    assert transfers["a_day"] == round(transfers["fired"] / transfers["days"], 2)
    (load,) = told["workload"].values()
    since = sum(count for day, count in load["by_day"].items() if day >= min(transfers["by_day"]))
    assert load["a_day"] == round(since / transfers["days"], 2)

    assert run(asked) == 0
    assert "Kafka has removed what came before" in (said := capfd.readouterr().out)
    assert " of bank.core: windows, cooldowns" in said
