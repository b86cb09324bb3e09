"""The peer of latency: a loop of librdkafka alone that reads, and sends in transactions.

For every event it sends a record of 300 bytes to the changelog, for one in five an alert, all of
what a poll brought in one transaction. It keeps nothing and decides nothing.
"""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event

import msgspec
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from agents.kafka import producer_config
from agents.librdkafka import reader_config
from agents.topics import changelog
from config.settings import Settings
from tests.bench.parts.traffic import TOPIC

_SPAWN = multiprocessing.get_context("spawn")
_FILL_S = 0.005
"""As long as a chunk of the worker lingers."""
_RECORD = b"r" * 300


@contextmanager
def bare_loop(settings: Settings) -> Iterator[None]:
    """Run it in a process of its own until the block ends."""
    ready, stop = _SPAWN.Event(), _SPAWN.Event()
    process = _SPAWN.Process(target=_loop, args=(settings, ready, stop), daemon=True)
    process.start()
    try:
        if not ready.wait(30):
            raise RuntimeError("the bare loop did not start")
        yield
    finally:
        stop.set()
        process.join(10)
        process.kill()


def _loop(settings: Settings, ready: Event, stop: Event) -> None:
    config = {**reader_config(settings.kafka, "vipcare-bench-bare"), "fetch.wait.max.ms": 10}
    consumer = Consumer(config)
    numbers = range(settings.topics.partitions)
    consumer.assign([TopicPartition(TOPIC, number, 0) for number in numbers])
    producer = Producer(producer_config(settings.kafka, settings.worker, 0))
    producer.init_transactions(30)
    ready.set()
    while not stop.is_set():
        if first := consumer.poll(0.1):
            time.sleep(_FILL_S)
            _send(producer, settings, [first, *consumer.consume(4_000, timeout=0)])
    consumer.close()


class _Data(msgspec.Struct):
    base_amount: str


class _Event(msgspec.Struct):
    time: str
    data: _Data


_decode = msgspec.json.Decoder(_Event).decode


def _send(producer: Producer, settings: Settings, batch: list[Message]) -> None:
    producer.begin_transaction()
    for message in batch:
        key, partition = message.key(), message.partition() or 0
        event = _decode(message.value() or b"")
        producer.produce(changelog(settings.worker.app), _RECORD, key, partition=partition)
        if int(event.data.base_amount) > 800:
            alert = b'{"data":{"cause":{"time":"%s"}}}' % event.time.encode()
            producer.produce("vip.alerts", alert, key, partition=partition)
    producer.commit_transaction(10)
