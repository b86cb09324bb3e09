"""Read topics again from their beginning to their end: what was committed, in offset order."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from types import TracebackType
from typing import Any, NamedTuple, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from agents.diagnosis import wire_problem
from agents.librdkafka import reader_config, unreachable
from agents.rights_check import REFUSALS
from config.wires import KafkaSettings
from schemas.place import Place
from streams.inputs import Raw, raw_of

_ANSWER_S = 5.0
_TIMEOUT_S = 20.0
_MESSAGES_A_CALL = 2_000
_FILL_S = 0.02
"""How long a call waits for more than the messages at hand."""
_SEE = "`vipcare topics acls operator` prints the rights that it takes"
_BUFFER_KB = 4 * 1024
_LAST_HUNDRED = -2_000 - 100
"""librdkafka's `RD_KAFKA_OFFSET_TAIL(100)`: markers of transactions take offsets, too."""


class ReadingError(Exception):
    """A topic could not be read to its end; one line."""


class Found(NamedTuple):
    """One message as it stands in its topic."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    """Kafka's record timestamp, real time, epoch milliseconds."""
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]

    @property
    def place(self) -> Place:
        return Place(self.topic, self.partition, self.offset)

    def raw(self) -> Raw:
        return raw_of(*self[:3], self.key, self.value, self.headers)


class Offsets(NamedTuple):
    """From one up to, not including, another."""

    start: int
    end: int

    def lacking(self, other: "Offsets") -> int:
        """How many of them another does not have."""
        both = min(self.end, other.end) - max(self.start, other.start)
        return max(0, self.end - self.start - max(0, both))


def partitions_of(kafka: KafkaSettings, topic: str) -> int:
    """How many partitions a topic has. Raises ReadingError if it is not there."""
    if problem := wire_problem(kafka):  # librdkafka would try for long
        raise ReadingError(problem)
    with _Client(kafka) as client:
        try:
            listed = client.consumer.list_topics(topic, timeout=_ANSWER_S).topics.get(topic)
        except KafkaException as error:
            raise ReadingError(unreachable(kafka, error)) from error
    if listed is not None and listed.error is not None and listed.error.code() in REFUSALS:
        raise ReadingError(f"topic {topic} is not to be read by this user: {_SEE}")
    if listed is None or listed.error is not None:
        raise ReadingError(f"topic {topic} is missing: make it with `vipcare topics create`")
    return len(listed.partitions)


def read_topic(kafka: KafkaSettings, topic: str) -> Iterator[Found]:
    """Every committed message of every partition, partition by partition."""
    for partition in range(partitions_of(kafka, topic)):
        yield from read_partition(kafka, topic, partition)


def read_partition(
    kafka: KafkaSettings, topic: str, partition: int, start: int = 0
) -> Iterator[Found]:
    """The committed messages of one partition, from `start` to where it ends when it is reached.

    A transaction that is still open ends it. Raises ReadingError.
    """
    with _Client(kafka) as client:
        yield from client.read(TopicPartition(topic, partition, start))


def newest(kafka: KafkaSettings, topic: str) -> Found | None:
    """The message that was sent last of those that end the partitions; None if none is near their
    ends. Raises ReadingError."""
    partitions = range(partitions_of(kafka, topic))
    places = [TopicPartition(topic, one, _LAST_HUNDRED) for one in partitions]
    with _Client(kafka) as client:
        lasts = [last for place in places for last in deque(client.read(place), 1)]
    return max(lasts, key=attrgetter("timestamp"), default=None)


def beginning_of(kafka: KafkaSettings, topic: str, partition: int) -> int:
    """The first offset that Kafka still has of a partition. Raises ReadingError."""
    return held(kafka, [(topic, partition)])[topic, partition].start


def held(kafka: KafkaSettings, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Offsets]:
    """Topic and partition → what Kafka has of it, gaps apart. Raises ReadingError."""
    with _Client(kafka) as client:
        ends = client.consumer.get_watermark_offsets
        try:
            return {
                place: Offsets(*ends(TopicPartition(*place), timeout=_ANSWER_S)) for place in places
            }
        except KafkaException as error:
            raise ReadingError(unreachable(kafka, error)) from error


class Onward:
    """Reads on: each time what was committed since the time before."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._next: dict[tuple[str, int], int] = {}

    def topic(self, topic: str) -> Iterator[Found]:
        """Partition by partition."""
        for partition in range(partitions_of(self._kafka, topic)):
            yield from self.partition(topic, partition)

    def partition(self, topic: str, partition: int) -> Iterator[Found]:
        for found in read_partition(self._kafka, topic, partition, self.next(topic, partition)):
            self._next[topic, partition] = found.offset + 1
            yield found

    def next(self, topic: str, partition: int) -> int:
        """The offset from which the next time begins."""
        return self._next.get((topic, partition), 0)


class RangeReader:
    """Reads the ranges of one partition's topics, each topic's one after the other.

    The ranges of a journal follow each other, so each topic is read once, as a stream.
    """

    def __init__(self, kafka: KafkaSettings, partition: int) -> None:
        self._kafka = kafka
        self._partition = partition
        self._streams: dict[str, Iterator[Found]] = {}
        self._ahead: dict[str, Found | None] = {}

    def take(self, topic: str, start: int, end: int) -> Sequence[Found]:
        """The messages from `start` up to, not including, `end`: of a transaction's marker there is
        none, nor of what Kafka has removed (`held`)."""
        if topic not in self._streams:
            stream = read_partition(self._kafka, topic, self._partition, start)
            self._streams[topic] = stream
            self._ahead[topic] = next(stream, None)
        taken = []
        while (found := self._ahead[topic]) is not None and found.offset < end:
            if found.offset >= start:
                taken.append(found)
            self._ahead[topic] = next(self._streams[topic], None)
        return taken

    def rest(self, topic: str, start: int) -> int:
        """How many messages stand behind the ranges that were taken."""
        return len(self.take(topic, start, 2**62))


class _Client:
    """A consumer outside any group, closed in the end."""

    def __init__(self, kafka: KafkaSettings) -> None:
        config: dict[str, Any] = {
            **reader_config(kafka, "vipcare-reading"),
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 10,
            "queued.max.messages.kbytes": _BUFFER_KB,
        }
        self.consumer = Consumer(config)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.consumer.close()

    def read(self, start: TopicPartition) -> Iterator[Found]:
        self.consumer.assign([start])
        while True:
            batch = self.consumer.consume(_MESSAGES_A_CALL, timeout=_FILL_S) or self._wait(start)
            for message in batch:
                error = message.error()
                if error is None:
                    yield _found(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    return
                else:
                    see = f": {_SEE}" if error.code() in REFUSALS else ""
                    raise ReadingError(
                        f"{start.topic}[{start.partition}] cannot be read: {error.str()}{see}"
                    )

    def _wait(self, start: TopicPartition) -> list[Message]:
        batch = self.consumer.consume(1, timeout=_TIMEOUT_S)
        if not batch:
            raise ReadingError(
                f"{start.topic}[{start.partition}] sent neither messages nor its end "
                f"in {_TIMEOUT_S:g} s"
            )
        return batch


def _found(message: Message) -> Found:
    return Found(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1],
        message.key(),
        message.value(),
        _headers(message),
    )


def _headers(message: Message) -> list[tuple[str, bytes]]:
    # The stub allows more shapes than a message that was read has.
    headers: list[Any] = list(message.headers() or [])
    return [(name, value) for name, value in headers if value is not None]
