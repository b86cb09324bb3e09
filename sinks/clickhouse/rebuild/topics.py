"""What Kafka holds of a table's topics, and reading it from the beginning."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from sinks.clickhouse.messages import Messages, Place
from sinks.clickhouse.rebuild.errors import RebuildError

_ANSWER_S = 10.0
_SILENT_S = 60.0


class Range(NamedTuple):
    """What Kafka holds of one partition: offsets, and the timestamp of the first message."""

    begin: int
    end: int
    since: int | None
    """Epoch milliseconds; None if it is empty."""


class Topics:
    """Some topics, read beside any group. `config` is librdkafka's, with the sink's group."""

    def __init__(self, config: Mapping[str, Any], topics: Sequence[str]) -> None:
        self.topics = tuple(topics)
        self._consumer = Consumer(
            {
                **config,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "fetch.queue.backoff.ms": 5,
                "queued.max.messages.kbytes": 32 * 1024,
                "log_level": 0,
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def ranges(self) -> dict[Place, Range]:
        """Raises RebuildError."""
        try:
            found = {place: self._ends(place) for place in self._places()}
        except KafkaException as error:
            raise RebuildError(f"Kafka does not answer ({error.args[0].str()})") from error
        filled = {place: begin for place, (begin, end) in found.items() if begin < end}
        since: dict[Place, int] = {}
        for place, message in self._read(filled):
            since.setdefault(place, message.timestamp()[1])
            if len(since) == len(filled):
                break
        return {place: Range(*ends, since.get(place)) for place, ends in found.items()}

    def committed(self, places: Sequence[Place]) -> dict[Place, int]:
        """What the sink's group has committed; nothing for a partition of which it has not."""
        asked = [TopicPartition(*place) for place in places]
        try:
            found = self._consumer.committed(asked, timeout=_ANSWER_S)
        except KafkaException as error:
            raise RebuildError(f"Kafka does not answer ({error.args[0].str()})") from error
        return {(one.topic, one.partition): one.offset for one in found if one.offset >= 0}

    def read(
        self, begins: Mapping[Place, int], ends: Mapping[Place, int], size: int
    ) -> Iterator[Messages]:
        """The committed messages from `begins` up to, not including, `ends`, in batches."""
        batch: list[KafkaMessage] = []
        wanted = {place: begin for place, begin in begins.items() if begin < ends[place]}
        for place, message in self._read(wanted, ends):
            if _offset(message) < ends[place]:
                batch.append(message)
                if len(batch) >= size:
                    yield Messages(batch)
                    batch = []
        if batch:
            yield Messages(batch)

    def _read(
        self, begins: Mapping[Place, int], ends: Mapping[Place, int] | None = None
    ) -> Iterator[tuple[Place, KafkaMessage]]:
        """Until every partition is at its end, or at what was its end when it was reached."""
        left = set(begins)
        self._consumer.assign([TopicPartition(*place, begin) for place, begin in begins.items()])
        heard = time.monotonic()
        while left:
            for one in self._consumer.consume(2_000, timeout=0.2):
                heard, error = time.monotonic(), one.error()
                place = one.topic() or "", one.partition() or 0
                if error is None:
                    if ends is not None and _offset(one) + 1 >= ends[place]:
                        left.discard(place)
                        self._consumer.pause([TopicPartition(*place)])
                    yield place, one
                elif error.code() == KafkaError._PARTITION_EOF:
                    left.discard(place)
                elif not error.retriable():
                    raise RebuildError(f"{place[0]}[{place[1]}] cannot be read: {error.str()}")
            if time.monotonic() - heard > _SILENT_S:
                raise RebuildError(f"Kafka has sent nothing for {_SILENT_S:.0f} s")
        self._consumer.unassign()

    def _places(self) -> list[Place]:
        listed = self._consumer.list_topics(timeout=_ANSWER_S).topics
        missing = [topic for topic in self.topics if topic not in listed]
        if missing:
            raise RebuildError(f"topic {missing[0]} is missing: `vipcare topics create` makes it")
        return [(topic, one) for topic in self.topics for one in listed[topic].partitions]

    def _ends(self, place: Place) -> tuple[int, int]:
        found = self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=_ANSWER_S)
        if found is None:  # the driver's word for a timeout
            raise RebuildError(f"Kafka does not tell where {place[0]}[{place[1]}] ends")
        return int(found[0]), int(found[1])


def _offset(message: KafkaMessage) -> int:
    return message.offset() or 0
