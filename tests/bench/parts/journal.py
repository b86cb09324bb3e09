"""The journal as it is written: which chunk took how much, when."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from confluent_kafka import Consumer, Message, TopicPartition

from agents.librdkafka import reader_config
from config.settings import Settings
from schemas.position import decode_position


class Chunk(NamedTuple):
    partition: int
    taken: int
    """Messages of the inputs."""
    at: int
    """Real time, epoch milliseconds: the entry's own timestamp."""


def follow(settings: Settings, messages: int, timeout_s: float = 300.0) -> Iterator[Chunk]:
    """Chunks as they are written, from the first one, until so many messages were taken."""
    consumer = Consumer(
        {
            **reader_config(settings.kafka, "vipcare-bench"),
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 50,
        }
    )
    partitions = range(settings.topics.partitions)
    consumer.assign([TopicPartition("vip.journal", number, 0) for number in partitions])
    deadline, taken = time.monotonic() + timeout_s, 0
    try:
        while taken < messages:
            message = consumer.poll(0.1)
            if message is not None:
                chunk = _chunk(message)
                taken += chunk.taken
                yield chunk
            elif time.monotonic() > deadline:
                raise RuntimeError(f"{taken} of {messages} were applied in {timeout_s:g} s")
    finally:
        consumer.close()


def _chunk(message: Message) -> Chunk:
    if message.error():
        raise RuntimeError(f"the journal cannot be read: {message.error()}")
    ranges = decode_position(message.value() or b"").ranges.values()
    taken = sum(one.end - one.start for one in ranges)
    return Chunk(message.partition() or 0, taken, message.timestamp()[1])
