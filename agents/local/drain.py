"""Whether everything that stands in topics has been taken, and whether that gets on.

Ends of partitions are not asked for: the embedded broker tells them short, and after a transaction
they are past a marker that nobody can take. What follows a reader's place is read instead.
"""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, TopicPartition

from agents.librdkafka import reader_config
from agents.local.observer import Place
from config.wires import KafkaSettings

_MESSAGES_A_CALL = 5_000
_SILENT_S = 5.0


class Progress:
    """Of what is left: it stands still once there was not less for so long."""

    def __init__(self, now: float, limit_s: float) -> None:
        self._least: int | None = None
        self._since = now
        self._limit_s = limit_s

    def stands_still(self, left: int | None, now: float) -> bool:
        """`left` is None while nobody knows."""
        if left is not None and (self._least is None or left < self._least):
            self._least, self._since = left, now
        return now - self._since > self._limit_s

    @property
    def least(self) -> int:
        return self._least or 0


def untaken(kafka: KafkaSettings, places: Mapping[Place, int]) -> int:
    """How many messages stand at or after these offsets. Raises TimeoutError if Kafka is mute."""
    config: dict[str, Any] = {
        **reader_config(kafka, "vipcare-drain"),
        "enable.partition.eof": True,
        "isolation.level": "read_committed" if kafka.transactions else "read_uncommitted",
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 20,
    }
    consumer = Consumer(config)
    try:
        consumer.assign([TopicPartition(*place, offset) for place, offset in places.items()])
        return _count(consumer, set(places))
    finally:
        consumer.close()


def _count(consumer: Consumer, open_ends: set[Place]) -> int:
    found = 0
    while open_ends:
        batch = consumer.consume(_MESSAGES_A_CALL, timeout=0.1) or consumer.consume(
            1, timeout=_SILENT_S
        )
        if not batch:
            raise TimeoutError
        for message in batch:
            error = message.error()
            if error is None:
                found += 1
            elif error.code() == KafkaError._PARTITION_EOF:
                open_ends.discard((message.topic() or "", message.partition() or 0))
    return found
