"""The journal as it is written: which chunk took how much, when."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition

from agents.librdkafka import reader_config
from config.settings import Settings
from schemas.position import decode_position


class Chunk(NamedTuple):
    partition: int
    taken: int
    """Messages of the inputs."""
    at: int
    """Real time, epoch milliseconds: the entry's own timestamp."""


def follow(settings: Settings, messages: int, timeout_s: float = 300.0) -> list[Chunk]:
    """Chunks from the first one, until so many messages were taken; in order of arrival."""
    chunks, taken = [], 0
    for chunk in _chunks(settings, time.monotonic() + timeout_s):
        chunks.append(chunk)
        taken += chunk.taken
        if taken >= messages:
            return chunks
    raise RuntimeError(f"{taken} of {messages} messages were applied in {timeout_s:g} s")


def _chunks(settings: Settings, deadline: float) -> Iterator[Chunk]:
    consumer = Consumer(
        {
            **reader_config(settings.kafka, "vipcare-bench"),
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 50,
        }
    )
    partitions = range(settings.topics.partitions)
    consumer.assign([TopicPartition("vip.journal", number, 0) for number in partitions])
    try:
        while time.monotonic() < deadline:
            message = consumer.poll(0.1)
            if message is None:
                continue
            if message.error():
                raise RuntimeError(f"the journal cannot be read: {message.error()}")
            ranges = decode_position(message.value() or b"").ranges.values()
            taken = sum(one.end - one.start for one in ranges)
            yield Chunk(message.partition() or 0, taken, message.timestamp()[1])
    finally:
        consumer.close()
