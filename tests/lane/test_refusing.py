"""A schema accident does not empty a topic into the dead letters: the worker stops before, again
and again, until it is mended or allowed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Producer

from agents.faults import Fault
from agents.librdkafka import librdkafka_config
from agents.reading import read_partition
from agents.topics import create
from config.settings import RefusalSettings, Settings
from schemas.dead_letters import DeadLetter, parse_dead_letter
from schemas.record import Record
from tests.kafka_server import KafkaServer
from tests.lane.oracle import actual
from tests.lane.process import Worker, changed, settings_for
from tests.lane.rules import with_few

CUSTOMER = "C1"
LIMIT = RefusalSettings(window=60, share=0.5, minimum=10)
GOOD, AHEAD = timedelta(hours=-1), timedelta(days=2)


class Feed:
    """Page views of one customer, on one partition, in the order of their numbers."""

    def __init__(self, settings: Settings) -> None:
        self.sent = 0
        config = {**librdkafka_config(settings.kafka), "enable.idempotence": False}
        self._producer = Producer(config)

    def send(self, count: int, away: timedelta = GOOD, topic: str = "bank.app") -> None:
        for _ in range(count):
            event = {
                "specversion": "1.0",
                "id": str(self.sent),
                "source": "test",
                "type": "page.viewed",
                "subject": CUSTOMER,
                "time": (datetime.now(UTC) + away).isoformat(),
                "data": {"page": "home"},
            }
            self._producer.produce(topic, json.dumps(event), CUSTOMER, partition=0)
            self.sent += 1
        assert self._producer.flush(30) == 0


def letters(settings: Settings) -> list[DeadLetter]:
    return [
        parse_dead_letter(found.headers, found.key, found.value)
        for found in read_partition(settings.kafka, "vip.dead-letters", 0)
    ]


def applied(settings: Settings) -> int:
    """How many events changed the customer's record."""
    return Record(CUSTOMER, actual(settings, 0).records[CUSTOMER]).header.sequence


def refused(settings: Settings) -> str:
    """The last line of a worker that stops because most of a topic is refused."""
    with Worker(settings) as worker:
        assert worker.process.wait(60) == Fault.REFUSING
    return worker.log.read_text().splitlines()[-1]


def run_until_taken(settings: Settings, messages: int, *arguments: str) -> None:
    with Worker(settings, arguments=arguments) as worker:
        worker.wait_until(lambda: worker.total("vipcare_position") == messages)
        assert worker.stop() == 0


def an_accident(settings: Settings) -> None:
    create(settings)
    feed = Feed(settings)
    feed.send(40)
    feed.send(3, AHEAD)
    feed.send(20)
    run_until_taken(settings, feed.sent)
    assert len(letters(settings)) == 3, "a few never stop anything"

    feed.send(200, AHEAD)
    feed.send(30)
    line = refused(settings)
    buried = len(letters(settings))
    assert buried < LIMIT.window * LIMIT.share
    assert "most of bank.app is refused: 30 of the last 60 events of partition 0 (50%" in line
    told = json.loads(line)
    assert told["reasons"] == f"future {30 - buried}"
    assert told["first"] == f"bank.app[0]@{60 + buried}"
    assert told["detail"] == "time is ahead of the bank clock by more than the tolerance"
    assert f"Dead letters so far: {buried} (" in told["message"]
    assert f"waits from {told['first']} on" in told["message"]
    assert told["message"].endswith("`vipcare worker --accept-broken bank.app`")
    for _ in range(2):
        refused(settings)
        assert len(letters(settings)) == buried, "a restart lets none through"

    mended = changed(settings, "step", future_tolerance_s=10 * 86_400)
    run_until_taken(mended, feed.sent)
    assert len(letters(settings)) == buried, "the rest waited, and was applied"
    assert applied(settings) == feed.sent - buried

    feed.send(200, timedelta(days=20))
    feed.send(30)
    refused(mended)
    run_until_taken(mended, feed.sent, "--accept-broken", "bank.app")
    assert len(letters(settings)) == buried + 200
    feed.send(40)
    feed.send(5, timedelta(days=20))
    run_until_taken(mended, feed.sent)


@pytest.mark.kafka
def test_an_accident(fresh_kafka: KafkaServer, tmp_path: Path) -> None:
    settings = settings_for(
        fresh_kafka.bootstrap, tmp_path / "data", transactions=True, partitions=1
    )
    an_accident(with_few(_limited(settings)))


def _limited(settings: Settings) -> Settings:
    return settings.model_copy(update={"refusals": LIMIT})
