"""How far the worker and the sink are, as Kafka tells it."""

import math
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaError, TopicPartition

from agents.librdkafka import reader_config
from agents.reading import read_partition
from agents.topics import places_of
from config.settings import KafkaSettings, Settings
from schemas.position import Position, decode_position
from sinks.clickhouse.tables import TABLE_OF

_TIMEOUT_S = 20.0
_TAIL = 400
"""More than the entries of aborted transactions that may stand behind the last position."""


Ends = Mapping[tuple[str, int], int]
"""Input topic and partition → the offset up to where it is read."""


def applied(settings: Settings, ends: Ends) -> bool:
    """Whether every partition's last position is at these ends of the inputs, or further."""
    return is_at(reached(settings), ends)


def is_at(now: Ends, ends: Ends) -> bool:
    return all(now.get(place, -1) >= end for place, end in ends.items())


def reached(settings: Settings) -> Ends:
    """The ends of the inputs at every partition's last position."""
    return {
        (topic, partition): end
        for partition, position in positions(settings).items()
        for topic, end in position.ends().items()
    }


class Headway:
    """Whether anything goes on, as one looks again and again: positions that are further than ever,
    and, while none is, restores that have less left than ever. So a worker that dies over each
    restore, and begins anew, gets nowhere."""

    def __init__(self) -> None:
        self._ends: dict[tuple[str, int], int] = {}
        self._left: dict[str, float] = {}

    def goes_on(self, ends: Ends, left: Mapping[str, float]) -> bool:
        """`left` is told for each partition that is restored, by any name."""
        further = {place: end for place, end in ends.items() if end > self._ends.get(place, -1)}
        if further:
            self._ends |= further
            self._left.clear()
            return True
        less = {name: now for name, now in left.items() if now < self._left.get(name, math.inf)}
        self._left |= less
        return bool(less)


def positions(settings: Settings) -> dict[int, Position]:
    """Partition → the last committed position, of those that have one."""
    found = {}
    for partition in range(settings.topics.partitions):
        end = _end(settings.kafka, TopicPartition("vip.journal", partition))
        tail = read_partition(settings.kafka, "vip.journal", partition, max(0, end - _TAIL))
        for message in tail:
            found[partition] = decode_position(message.value or b"")
    return found


def _end(kafka: KafkaSettings, place: TopicPartition) -> int:
    consumer = Consumer(reader_config(kafka, "kill-tests"))
    try:
        end: int = consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S)[1]
    finally:
        consumer.close()
    return end


def written(settings: Settings) -> bool:
    """Whether no committed message stands behind the sink's offsets."""
    wanted = [TopicPartition(*place) for place in places_of(TABLE_OF, settings)]
    config = {
        **reader_config(settings.kafka, settings.sink.group),
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
    }
    consumer = Consumer(config)
    try:
        committed = consumer.committed(wanted, timeout=_TIMEOUT_S)
        for place in committed:
            place.offset = max(place.offset, 0)
        consumer.assign(committed)
        ended = 0
        while ended < len(wanted):
            message = consumer.poll(_TIMEOUT_S)
            if message is None or message.error() is None:
                return False
            assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
            ended += 1
    finally:
        consumer.close()
    return True
