"""A sink in a thread, messages to feed it, and waiting for what becomes of them."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from clickhouse_driver import Client
from confluent_kafka import Producer

from agents.cli.sink import consumer_config
from agents.librdkafka import librdkafka_config
from agents.topics import create
from config.settings import KafkaSettings, Settings, TopicSettings
from schemas.dead_letters import DeadLetter
from schemas.effects import TOPIC_OF, Effect, encode_effect
from schemas.events import EVENT_TYPES
from schemas.metrics import SINK
from sinks.clickhouse.address import Address
from sinks.clickhouse.letters import Letters
from sinks.clickhouse.sink import Pace, Sink
from sinks.clickhouse.source import Source
from sinks.clickhouse.tables import TABLE_OF
from sinks.clickhouse.writer import Writer
from sinks.metrics import Metrics
from streams.partitioning import partition_of
from tests.schemas.examples import EVENT_EXAMPLES
from tests.sink.strategies import SECRET

PARTITIONS = 2
_PATIENCE_S = 60.0
_numbers = itertools.count()


QUICK = {
    "session.timeout.ms": 2_500,
    "max.poll.interval.ms": 2_500,
    "heartbeat.interval.ms": 500,
}
"""The embedded broker lets a group's first join wait for half of these."""


class Feed:
    """A broker with the topics, and a producer that waits until what it sent is there."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.settings = Settings(
            kafka=KafkaSettings(bootstrap=bootstrap, transactions=False),
            topics=TopicSettings(partitions=PARTITIONS),
        )
        create(self.settings)
        self._producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})

    def send(
        self,
        topic: str,
        key: str,
        value: bytes | None,
        headers: list[tuple[str, str | bytes | None]] | None = None,
        partition: int | None = None,
    ) -> None:
        if partition is None:
            partition = partition_of(key.encode(), PARTITIONS)
        self._producer.produce(topic, value, key, partition, headers=headers or [])

    def send_events(self, count: int) -> None:
        """That many valid events of all types, each with an id of its own."""
        for example in itertools.islice(itertools.cycle(EVENT_EXAMPLES), count):
            told = {**example, "id": f"e{next(_numbers)}"}
            self.send(topic_of(example), told["subject"], json.dumps(told).encode())
        self.flush()

    def send_effect(self, effect: Effect) -> None:
        self.send(TOPIC_OF[type(effect)], effect.subject, encode_effect(effect))

    def send_dead_letter(self, letter: DeadLetter) -> None:
        self.send("vip.dead-letters", "C1", SECRET.encode(), [*letter.headers()])

    def flush(self) -> None:
        assert self._producer.flush(20) == 0


def topic_of(example: Mapping[str, Any]) -> str:
    return EVENT_TYPES[example["type"]].topic


def running(
    feed: Feed, address: Address, rows: int = 10_000, refused_limit: int = 100
) -> AbstractContextManager[Metrics]:
    """A sink of a feed's topics."""
    return run_sink(feed.settings, address, rows, QUICK, refused_limit)


@contextmanager
def run_sink(
    settings: Settings,
    address: Address,
    rows: int = 10_000,
    timeouts: Mapping[str, int] | None = None,
    refused_limit: int = 100,
) -> Iterator[Metrics]:
    """A sink that runs until the block ends, and then ends by itself."""
    metrics = Metrics(SINK)
    source = Source({**consumer_config(settings), **(timeouts or {})}, list(TABLE_OF))
    pace = Pace(rows=rows, seconds=0.1, backoff_max_s=0.5, refused_limit=refused_limit)
    letters = Letters(librdkafka_config(settings.kafka))
    sink = Sink(source, Writer(address), letters, metrics, pace)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            sink.run()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield metrics
    finally:
        sink.stop()
        thread.join(_PATIENCE_S)
    assert not thread.is_alive()
    assert not failures


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0


def total(metrics: Metrics, name: str) -> float:
    """Of all its labels."""
    samples = (one for family in metrics.registry.collect() for one in family.samples)
    return sum(one.value for one in samples if one.name == name)


def count_of(client: Client, view: str) -> int:
    """How many rows a reader sees; of one view, since whoever waits asks twenty times a second."""
    [(count,)] = client.execute(f"SELECT count() FROM {view}")
    return int(count)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)
