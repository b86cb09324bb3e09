"""A backtest over the archived journal of a live run is that run; without it rules fire alike."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.cli.main import run
from agents.librdkafka import librdkafka_config
from agents.reading import read_topic
from agents.topics import create
from config.settings import Settings
from schemas.effects import TOPIC_OF, Profile
from streams.partitioning import partition_of
from tests.kafka_server import KafkaServer
from tests.lane.events import produce_events
from tests.lane.process import Worker, settings_for, variables

EVENTS = 3_000
_BROADCASTS = {"golf-invitation", "holiday-ahead", "holiday-greeting"}
TOPICS = [topic for kind, topic in TOPIC_OF.items() if kind is not Profile]


def effects(settings: Settings) -> list[str]:
    """What the worker sent, but for summaries."""
    return sorted(
        (found.value or b"").decode()
        for topic in dict.fromkeys(TOPICS)
        for found in read_topic(settings.kafka, topic)
    )


def deposits(settings: Settings) -> int:
    """Large ones that mature soon after the other events, some of which are told too late."""
    producer, sent = Producer(librdkafka_config(settings.kafka)), 0
    for number in range(20):
        at = datetime(2025, 1, 2, tzinfo=UTC) + timedelta(minutes=number)
        event = {
            "specversion": "1.0",
            "id": f"deposit-{number}",
            "source": "test",
            "type": "deposit.placed",
            "subject": f"C{number:04d}",
            "time": at.isoformat(),
            "data": {
                "deposit": "D1",
                "principal": "2000000",
                "currency": "CNY",
                "rate": "0.02",
                "matures_on": "2025-01-20",
            },
        }
        key = event["subject"].encode()  # type: ignore[attr-defined]  # a text
        partition = partition_of(key, settings.topics.partitions)
        producer.produce("bank.core", json.dumps(event), key, partition)
        sent += 1
    assert producer.flush(10) == 0
    return sent


def remove(settings: Settings, topic: str, partition: int, upto: int) -> None:
    """As Kafka does with what is too old."""
    admin = AdminClient(librdkafka_config(settings.kafka))
    (removed,) = admin.delete_records([TopicPartition(topic, partition, upto)]).values()
    assert removed.result().low_watermark == upto


def explained(live: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Of some rules the first effect: `why` says that it fires, on the values that it shows."""
    of_rule: dict[str, Any] = {}
    for one in map(json.loads, live):
        of_rule.setdefault(one["data"]["rule"]["id"], one)
    compared = sorted(of_rule.keys() - _BROADCASTS)
    assert len(compared) > 4
    for rule in compared[:6]:
        one, data = of_rule[rule], of_rule[rule]["data"]
        event = f"{data['cause']['source']}/{data['cause']['id']}"
        capfd.readouterr()
        assert run(["rules", "why", rule, one["subject"], "--event", event, "--json"]) == 0
        answer = json.loads(capfd.readouterr().out)["answers"][-1]
        assert answer["acts"], (rule, answer)
        assert answer["lets"].items() <= data["values"].items()


@pytest.mark.kafka
def test_backtest_of_a_live_run(
    fresh_kafka: KafkaServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    settings = settings_for(fresh_kafka.bootstrap, tmp_path / "data", transactions=True)
    create(settings)
    with Worker(settings) as worker:
        worker.wait_ready(2)
        produce_events(settings, EVENTS)
        sent = EVENTS + deposits(settings)
        worker.wait_until(lambda: worker.total("vipcare_position") >= sent)
        # Timers of an idle partition wait until its time has passed them.
        worker.wait_until(lambda: worker.total("vipcare_timers_fired_total") >= 20)
        assert worker.stop() == 0
    for name, value in variables(settings).items():
        monkeypatch.setenv(name, value)
    live = effects(settings)
    assert len(live) > 50

    explained(live, capfd)
    out = tmp_path / "out.jsonl"
    asked = ["rules", "backtest", "--out", str(out), "--json"]
    assert run([*asked, "--source", "journal"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert sorted(out.read_text().splitlines()) == live
    assert told["messages"] == sent
    times = [datetime.fromisoformat(json.loads(one)["time"]) for one in live]
    assert datetime.fromisoformat(told["from"]) <= min(times)
    assert max(times) < datetime.fromisoformat(told["to"]) + timedelta(seconds=1)

    assert run([*asked, "--source", "kafka", "--from", "2025-01-01"]) == 0
    again = json.loads(capfd.readouterr().out)
    # Whom a walk finds depends on when it came; in the order of times all hear of every holiday.
    # Deposits were sent last: of those that end a wait for an answer live knew too late.
    compared = told["rules"].keys() - _BROADCASTS - {"gives-up-three-times"}
    fired = {rule: told["rules"][rule]["fired"] for rule in compared}
    assert {rule: again["rules"][rule]["fired"] for rule in compared} == fired
    assert sum(sum(one["by_action"].values()) for one in told["rules"].values()) == len(live)
    assert told["missing"] == {}

    remove(settings, "bank.core", 0, 7)
    remove(settings, "vip.journal", 1, 2)
    assert run([*asked, "--source", "journal"]) == 0
    lacking, warned = capfd.readouterr()
    lacked = json.loads(lacking)
    assert lacked["missing"] == {"bank.core": 7, "vip.journal": 2}
    assert told["begins"] == {} != lacked["begins"]
    assert "bank.core" in lacked["begins"]  # and what else the removed chunks had
    removed = "NOT the run as it was: Kafka has removed offsets that it took (7 of bank.core, 2 of"
    assert removed in warned
    assert run(["rules", "backtest", "--source", "journal"]) == 0
    assert capfd.readouterr().out.startswith(removed)
