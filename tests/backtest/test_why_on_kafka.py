"""`vipcare rules why --event` over the topics in Kafka, through the command line itself."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.cli.main import run
from agents.librdkafka import librdkafka_config
from agents.topics import create
from config.settings import Settings
from streams.partitioning import partition_of
from tests.kafka_server import KafkaServer
from tests.lane.process import changed, settings_for, variables

pytestmark = pytest.mark.kafka

RULE = """\
id: often
version: 1
title: {en: Often, zh: 频繁}
kind: opportunity
owner: tests
status: live
on: transfer.completed
let:
  n: count(transfer.completed, 90d)
if: n >= 2
then:
  task:
    text: {en: "{n}", zh: "{n}"}
"""


@pytest.fixture
def settings(fresh_kafka: KafkaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """With rules of files, in a folder `rules`."""
    settings = settings_for(fresh_kafka.bootstrap, tmp_path / "data", transactions=True)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "often.yaml").write_text(RULE)
    settings = changed(settings, "worker", rules=tmp_path / "rules")
    for name, value in variables(settings).items():
        monkeypatch.setenv(name, value)
    create(settings)
    return settings


def event(name: str, ago: timedelta, kind: str = "transfer.completed", **data: Any) -> Any:
    """Of customer C1, so long ago."""
    given = {"transfer": name, "account": "A1", "direction": "out", "amount": "600"}
    return {
        "specversion": "1.0",
        "id": name,
        "source": "test",
        "type": kind,
        "subject": "C1",
        "time": (datetime.now(UTC) - ago).isoformat(),
        "data": given | {"currency": "CNY"} | data,
    }


def send(settings: Settings, *events: Any) -> None:
    producer = Producer(librdkafka_config(settings.kafka))
    for one in events:
        key = one["subject"].encode()
        partition = partition_of(key, settings.topics.partitions)
        producer.produce("bank.core", json.dumps(one), key, partition)
    assert producer.flush(10) == 0


def remove(settings: Settings, upto: int) -> None:
    """As Kafka does with what is too old."""
    place = TopicPartition("bank.core", partition_of(b"C1", settings.topics.partitions), upto)
    admin = AdminClient(librdkafka_config(settings.kafka))
    (removed,) = admin.delete_records([place]).values()
    assert removed.result().low_watermark == upto


def why(capfd: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capfd.readouterr()
    assert run(["rules", "why", *arguments, "--json"]) == 0
    return json.loads(capfd.readouterr().out)


def test_what_kafka_has_removed(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    send(settings, *(event(f"e{number}", timedelta(days=3 - number)) for number in (1, 2)))
    told = why(capfd, "often", "C1", "--event", "e2")
    (answer,) = told["answers"]
    assert (answer["fires"], answer["warm"], told["remarks"]) == (True, None, [])
    time.sleep(1)
    send(settings, event("e3", timedelta()))
    remove(settings, 2)
    told = why(capfd, "often", "C1", "--event", "e3")
    (answer,) = told["answers"]
    assert (answer["fires"], answer["warm"]) == (False, False)
    assert told["remarks"][0].startswith("Kafka has removed what came before")
    assert "(bank.core)" in told["remarks"][0]
    assert run(["rules", "why", "often", "C1", "--event", "e3"]) == 0
    assert "it looks further back than the archive goes" in capfd.readouterr().out
