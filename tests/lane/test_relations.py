"""Relations between customers of different partitions, through real workers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Producer

from agents.librdkafka import librdkafka_config
from agents.reading import read_partition
from agents.topics import create
from config.settings import Settings
from schemas.decode import decode_event
from schemas.record import Record
from streams.partitioning import partition_of
from tests.kafka_server import KafkaServer
from tests.lane.oracle import actual, assert_reconciled
from tests.lane.process import Worker, settings_for
from tests.lane.rules import with_few

RELATIONS = 400
CUSTOMERS = 40
START = datetime(2025, 1, 1, tzinfo=UTC)


def pairs() -> Iterator[tuple[str, str]]:
    for n in range(RELATIONS):
        yield f"C{n % CUSTOMERS:04}", f"C{(n * 7 + 3 + n // CUSTOMERS) % CUSTOMERS:04}"


def send(settings: Settings) -> int:
    """Returns how many relations are between two customers; those to oneself are refused."""
    producer = Producer(librdkafka_config(settings.kafka))
    for n, (one, other) in enumerate(pairs()):
        event = {
            "specversion": "1.0",
            "id": str(n),
            "source": "test",
            "type": "relation.added",
            "subject": one,
            "time": (START + timedelta(minutes=n)).isoformat(),
            "data": {"other": other, "relation": f"r{n}"},
        }
        partition = partition_of(one.encode(), settings.topics.partitions)
        producer.produce("bank.core", json.dumps(event).encode(), one.encode(), partition)
    producer.flush()
    return sum(one != other for one, other in pairs())


def records_of(settings: Settings) -> dict[str, Record]:
    return {
        customer: Record(customer, stored)
        for partition in range(settings.topics.partitions)
        for customer, stored in actual(settings, partition).records.items()
    }


def assert_both_see_it(settings: Settings, told: int) -> None:
    heard = [
        decode_event(message.value or b"")
        for partition in range(settings.topics.partitions)
        for message in read_partition(settings.kafka, "vip.internal", partition)
    ]
    assert len(heard) == len({event.id for event in heard}) == told
    records = records_of(settings)
    for n, (one, other) in enumerate(pairs()):
        if one != other:
            assert f"{other} r{n}" in records[one].profile.relations
            assert f"{one} <r{n}" in records[other].profile.relations
    assert_reconciled(settings, RELATIONS + told)


def wait_seen(settings: Settings, worker: Worker, told: int) -> None:
    """From both sides. Positions would not tell: on `vip.internal` transactions take offsets."""

    def seen() -> bool:
        found = records_of(settings).values()
        return sum(len(one.profile.relations) for one in found) == 2 * told

    worker.wait_until(seen)


@pytest.mark.broker
def test_both_customers_see_it_on_the_embedded_broker(fresh_broker: str, tmp_path: Path) -> None:
    settings = settings_for(fresh_broker, tmp_path / "data", transactions=False)
    create(settings)
    told = send(settings)
    with Worker(settings) as worker:
        wait_seen(settings, worker, told)
        assert worker.stop() == 0
    assert_both_see_it(settings, told)


@pytest.mark.kafka
def test_a_killed_worker_tells_it_once(fresh_kafka: KafkaServer, tmp_path: Path) -> None:
    settings = with_few(settings_for(fresh_kafka.bootstrap, tmp_path / "data", transactions=True))
    create(settings)
    told = send(settings)
    for fail in ("before-commit:kill@1", "committed:kill@2", ""):
        with Worker(settings, fail=fail) as worker:
            if fail:
                worker.process.wait(60)
            else:
                wait_seen(settings, worker, told)
                assert worker.stop() == 0
    assert_both_see_it(settings, told)
