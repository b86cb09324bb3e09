"""Steps 3 to 5 of a chunk, on both brokers: only what was committed is stored locally."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from agents.faults import Fault
from agents.kafka import producer_config
from agents.lane import outbox as module
from agents.lane.outbox import Batch, Message, Outbox
from agents.reading import Found, read_partition
from agents.topics import changelog, create
from config.settings import Settings
from schemas.position import POSITION_KEY
from tests.kafka_server import KafkaServer
from tests.lane.process import settings_for

PARTITION = 1


class Ended(BaseException):
    """In place of the end of the process."""


class Desk:
    """An outbox of one partition, and what a reader of the topics sees."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.changelog = changelog(settings.worker.app)
        create(settings)
        config = producer_config(settings.kafka, settings.worker, PARTITION)
        self.outbox = Outbox(config, PARTITION)
        asyncio.run(self.outbox.open())

    def batch(self, number: int, effects: str = "vip.tasks") -> Batch:
        place = b"%d" % number
        return Batch(
            effects=[Message(effects, b"C1", b"task " + place)],
            changes=[
                Message(self.changelog, b"C1", b"record " + place),
                Message("vip.journal", b"1", place),
            ],
            position=Message(self.changelog, POSITION_KEY, place),
        )

    def found(self, topic: str) -> list[Found]:
        return list(read_partition(self.settings.kafka, topic, PARTITION))

    def values(self, topic: str) -> list[bytes | None]:
        return [found.value for found in self.found(topic)]

    def wait_for(self, chunks: int) -> None:
        """Kafka answers a commit before its markers stand in every partition."""
        counts = {"vip.tasks": chunks, "vip.journal": chunks, self.changelog: 2 * chunks}
        deadline = time.monotonic() + 60
        while any(len(self.values(topic)) < count for topic, count in counts.items()):
            assert time.monotonic() < deadline, "committed, and not to be read"
            time.sleep(0.01)

    def send(self, batch: Batch, store: Callable[[int], None]) -> None:
        self.outbox.send(batch, store).result(60)


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> list[Fault]:
    found: list[Fault] = []

    def die(fault: Fault, message: str) -> NoReturn:
        found.append(fault)
        raise Ended(message)

    monkeypatch.setattr(module, "die", die)
    return found


@pytest.fixture
def embedded(fresh_broker: str, tmp_path: Path) -> Desk:
    return Desk(settings_for(fresh_broker, tmp_path, transactions=False))


@pytest.fixture
def apache(fresh_kafka: KafkaServer, tmp_path: Path) -> Desk:
    return Desk(settings_for(fresh_kafka.bootstrap, tmp_path, transactions=True))


def is_committed_before_it_is_stored(desk: Desk) -> None:
    stored: list[int] = []

    def store(offset: int) -> None:
        """When the local store is written, every reader sees the chunk; the position is its end."""
        number = len(stored) + 1
        place = b"%d" % number
        desk.wait_for(number)
        assert desk.values("vip.tasks")[-1] == b"task " + place
        assert desk.values("vip.journal")[-1] == place
        *_, record, position = desk.found(desk.changelog)
        assert (record.key, record.value) == (b"C1", b"record " + place)
        assert (position.key, position.value) == (POSITION_KEY, place)
        assert position.offset == offset
        stored.append(offset)

    for number in (1, 2, 3):
        desk.send(desk.batch(number), store)
    assert len(stored) == 3
    assert stored == sorted(set(stored))


def an_effect_that_is_refused_leaves_nothing(desk: Desk, faults: list[Fault]) -> None:
    before = desk.values(desk.changelog), desk.values("vip.journal")
    stored: list[int] = []
    refused = desk.batch(4)
    refused.effects.append(Message("vip.tasks", b"C1", b"x" * 2_000_000))
    with pytest.raises(Ended, match="partition 1: Kafka refused"):
        desk.send(refused, stored.append)
    assert faults == [Fault.KAFKA]
    assert not stored
    assert (desk.values(desk.changelog), desk.values("vip.journal")) == before


def who_is_fenced_while_it_produces_knows_it(settings: Settings, faults: list[Fault]) -> None:
    desk, stored = Desk(settings), list[int]()
    Desk(settings)  # the successor
    batch = desk.batch(5)

    def slowly() -> Iterator[Message]:
        for message in batch.effects * 20:
            time.sleep(0.1)
            yield message

    with pytest.raises(Ended, match="another worker took over"):
        desk.send(replace(batch, effects=slowly()), stored.append)
    assert faults == [Fault.FENCED]
    assert not stored


@pytest.mark.broker
def test_the_embedded_broker_has_it_before_the_store_effects_first(
    embedded: Desk, faults: list[Fault]
) -> None:
    is_committed_before_it_is_stored(embedded)
    an_effect_that_is_refused_leaves_nothing(embedded, faults)


@pytest.mark.kafka
def test_apache_kafka_commits_before_the_store_and_all_or_nothing(
    apache: Desk, faults: list[Fault]
) -> None:
    is_committed_before_it_is_stored(apache)
    an_effect_that_is_refused_leaves_nothing(apache, faults)
    faults.clear()
    who_is_fenced_while_it_produces_knows_it(apache.settings, faults)
