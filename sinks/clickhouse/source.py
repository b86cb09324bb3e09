"""The topics, read as a group: messages in batches, and offsets committed when told."""

import time
from collections.abc import Mapping, Sequence
from threading import Event
from typing import Any

import structlog
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka import Message as KafkaMessage

from sinks.clickhouse.message import Message

Place = tuple[str, int]
"""Topic and partition."""

_POLL_S = 0.1
_QUIET_S = 30.0
_log = structlog.get_logger(__name__)


class Source:
    """Subscribes when it is made; `commit` tells Kafka that everything taken is stored.

    `config` is librdkafka's: where the brokers are, the group's name, its timeouts.
    """

    def __init__(self, config: Mapping[str, Any], topics: Sequence[str]) -> None:
        self._said: dict[str, float] = {}
        self._next: dict[Place, int] = {}
        self._ahead: list[KafkaMessage] = []
        self._paused = False
        self.topics = tuple(topics)
        self.joined = False
        """The group has given this member its partitions, or none."""
        self.assigned: frozenset[Place] = frozenset()
        self.reached: dict[Place, int] = {}
        """Place → up to where it was taken, markers at the end included. For the watch."""
        self._consumer = Consumer(
            {
                "topic.metadata.refresh.interval.ms": 10_000,
                **config,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "fetch.queue.backoff.ms": 5,
                "fetch.wait.max.ms": 100,
                "error_cb": self._complain,
                "log_level": 0,
            }
        )
        self._consumer.subscribe(
            list(topics), on_assign=self._join, on_revoke=self._forget, on_lost=self._forget
        )

    def take(self, rows: int, wait_s: float) -> list[Message]:
        """Up to `rows` messages, at most `wait_s` seconds after the call."""
        if self._paused:
            self._consumer.resume(self._consumer.assignment())
            self._paused = False
        found, self._ahead = self._ahead, []
        found += self._consumer.consume(max(rows - len(found), 1), timeout=wait_s)
        ours = {(one.topic, one.partition) for one in self._consumer.assignment()}
        messages = [_message(one) for one in found if self._is_good(one)]
        messages = [one for one in messages if (one.topic, one.partition) in ours]
        for one in messages:
            self._next[one.topic, one.partition] = one.offset + 1
        self.reached.update(self._next)
        self._note_ends(found)
        return messages

    def idle(self, seconds: float, stop: Event) -> None:
        """Stay in the group for so long, or until `stop`, without taking anything."""
        deadline = time.monotonic() + seconds
        while not stop.is_set() and (left := deadline - time.monotonic()) > 0:
            self._consumer.pause(self._consumer.assignment())
            self._paused = True
            message = self._consumer.poll(min(left, _POLL_S))
            if message is not None:
                self._ahead.append(message)

    def commit(self) -> dict[Place, int]:
        """Commit what was taken; returns the next offsets, empty if Kafka did not take them.

        What is not committed is read again, and its rows count once.
        """
        offsets = [TopicPartition(*place, offset) for place, offset in self._next.items()]
        if not offsets:
            return {}
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            self._complain(error.args[0])
            return {}
        done, self._next = self._next, {}
        return done

    def lag(self, place: Place, offset: int) -> int | None:
        """Messages from `offset` to the end of the topic as last heard of."""
        try:
            _, end = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
        except KafkaException:
            return None
        return max(end - offset, 0) if end >= 0 else None

    def close(self) -> None:
        """Leave the group at once, so that another member takes over without waiting."""
        self._consumer.close()

    def _join(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.assigned = frozenset((one.topic, one.partition) for one in partitions)
        self.reached = {}
        self.joined = True

    def _forget(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {(one.topic, one.partition) for one in partitions}
        self.assigned -= gone
        self.joined = False
        self._next = {place: end for place, end in self._next.items() if place not in gone}
        self._ahead = [one for one in self._ahead if (one.topic(), one.partition()) not in gone]

    def _note_ends(self, found: Sequence[KafkaMessage]) -> None:
        for one in found:
            error, offset = one.error(), one.offset()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:
                self.reached[one.topic() or "", one.partition() or 0] = offset or 0

    def _is_good(self, message: KafkaMessage) -> bool:
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            self._complain(error)
        return error is None

    def _complain(self, error: KafkaError) -> None:
        """Once in a while for each kind; librdkafka goes on trying by itself."""
        now, kind = time.monotonic(), error.name()
        if now - self._said.get(kind, -_QUIET_S) >= _QUIET_S:
            self._said[kind] = now
            _log.warning("kafka_problem", kind=kind, problem=error.str())


def _message(message: KafkaMessage) -> Message:
    headers: list[Any] = list(message.headers() or [])  # the stub allows more than is ever read
    return Message(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1],
        message.value(),
        [(name, value) for name, value in headers if value is not None],
    )
