"""On Apache Kafka: what a transaction aborted is never a row."""

from __future__ import annotations

import json

import pytest
from clickhouse_driver import Client
from confluent_kafka import Consumer, Producer, TopicPartition

from agents.topics import create
from config.settings import KafkaSettings, Settings, TopicSettings
from sinks.clickhouse.address import Address
from tests.kafka_server import KafkaServer
from tests.schemas.examples import examples
from tests.sink.running import count_of, run_sink, wait_until

pytestmark = pytest.mark.kafka


def test_only_what_was_committed_is_stored(
    fresh_kafka: KafkaServer, address: Address, client: Client
) -> None:
    settings = Settings(
        kafka=KafkaSettings(bootstrap=fresh_kafka.bootstrap), topics=TopicSettings(partitions=1)
    )
    create(settings)
    producer = Producer(
        {"bootstrap.servers": fresh_kafka.bootstrap, "transactional.id": "t", "log_level": 0}
    )
    producer.init_transactions(20)
    example = examples("account.closed")[0]
    for number in range(6):
        producer.begin_transaction()
        for place in range(10):
            told = {**example, "id": f"{number}-{place}"}
            producer.produce("bank.core", json.dumps(told).encode(), told["subject"])
        producer.flush(20)
        if number % 2:
            producer.abort_transaction(20)
        else:
            producer.commit_transaction(20)
    with run_sink(settings, address):
        wait_until(lambda: count_of(client, "events") >= 30, "the committed events")
    ids = {name for (name,) in client.execute("SELECT id FROM events")}
    assert ids == {f"{number}-{place}" for number in (0, 2, 4) for place in range(10)}
    assert _committed(settings) > 40


def _committed(settings: Settings) -> int:
    """The group's offset of bank.core."""
    group = {"bootstrap.servers": settings.kafka.bootstrap, "group.id": settings.sink.group}
    consumer = Consumer(group)
    [place] = consumer.committed([TopicPartition("bank.core", 0)], timeout=20)
    consumer.close()
    return place.offset
