"""A worker that catches up takes what happened in the order in which it happened, whatever the
topics hold: their messages differ in number and size."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from agents.librdkafka import librdkafka_config
from agents.topics import create
from config.settings import Settings, WorkerSettings
from streams.partitioning import partition_of
from tests.kafka_server import KafkaServer
from tests.lane.oracle import assert_reconciled
from tests.lane.process import Worker, changed, settings_for

DAYS = timedelta(days=200)
BEGIN = datetime.now(UTC) - DAYS
CUSTOMERS = 10
PAYMENT = {"amount": "1", "base_amount": "1", "currency": "CNY"}
STREAMS: dict[str, tuple[int, int, str, dict[str, Any]]] = {
    "bank.app": (24_000, 0, "page.viewed", {"page": "fx.html", "page_topic": "fx"}),
    "bank.core": (
        4_000,
        3_000,
        "transfer.completed",
        {"transfer": "T1", "account": "A1", "direction": "in", **PAYMENT},
    ),
    "bank.service": (60, 0, "complaint.raised", {"case": "K1", "about": "a", "channel": "app"}),
}
"""Topic → how many events, bytes beside each, their type and what they say: a fetch of one topic
brings days, of another months."""


def tell(settings: Settings) -> int:
    producer = Producer({**librdkafka_config(settings.kafka), "enable.idempotence": True})
    for topic, (count, beside, kind, data) in STREAMS.items():
        for number in range(count):
            event = {
                "specversion": "1.0",
                "id": f"{topic}-{number}",
                "source": "test",
                "type": kind,
                "subject": f"C{number % CUSTOMERS}",
                "time": (BEGIN + DAYS * number / count).isoformat(),
                "data": data,
            }
            key = event["subject"].encode()
            partition = partition_of(key, settings.topics.partitions)
            headers = {"beside": b"x" * beside}
            producer.produce(topic, json.dumps(event), key, partition, headers=headers)
            producer.poll(0)
            if number % 5_000 == 0:
                assert producer.flush(30) == 0
    assert producer.flush(30) == 0
    return sum(count for count, *_ in STREAMS.values())


@pytest.mark.kafka
@pytest.mark.slow
def test_none_comes_after_later_ones(fresh_kafka: KafkaServer, tmp_path: Path) -> None:
    settings = settings_for(fresh_kafka.bootstrap, tmp_path / "one", transactions=True)
    settings = changed(settings, "worker", chunk_events=WorkerSettings().chunk_events)
    settings = changed(settings, "step", lateness_days=0)
    create(settings)
    sent = tell(settings)
    with Worker(settings) as worker:
        worker.wait_until(lambda: worker.total("vipcare_events_applied_total") == sent)
        assert worker.total("vipcare_events_late_total") == 0
        assert worker.stop() == 0
    assert_reconciled(settings, sent)
