"""The topics, read as a group: messages in batches, and offsets committed when told."""

import time
from collections import deque
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import structlog
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka import Message as KafkaMessage

from sinks.clickhouse.messages import Messages, Place

_POLL_S = 0.1
_PIECE = 1_000
"""Messages asked for at a time; between, it looks how large they are."""
_TYPICAL_BYTES = 1_000
_PREFETCH_KB = 32 * 1024
"""What librdkafka fetches ahead, of all partitions together."""
_QUIET_S = 30.0
_ANSWER_S = 2.0
_log = structlog.get_logger(__name__)


class Source:
    """Subscribes when it is made; `commit` tells Kafka that what was taken first is stored.

    `config` is librdkafka's: where the brokers are, the group's name, its timeouts. For one thread;
    what is public and no method may be read by any.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        topics: Sequence[str],
        explain: Callable[[KafkaError], str] = KafkaError.str,
    ) -> None:
        self._explain = explain
        """What an error means, in one line; may ask Kafka."""
        self._said: dict[str, float] = {}
        self._taken: deque[dict[Place, int]] = deque()
        """Of each batch that is not committed, oldest first: up to where it goes."""
        self._done: dict[Place, int] = {}
        """What is stored, and Kafka has not taken the offsets of."""
        self._ahead: list[KafkaMessage] = []
        self._paused = False
        self._largest = _TYPICAL_BYTES
        self.topics = tuple(topics)
        self.joined = False
        """The group has given this member its partitions, or none."""
        self.assigned: frozenset[Place] = frozenset()
        self.reached: dict[Place, int] = {}
        """Place → up to where it was taken, markers at the end included. For the watch."""
        self._taken_to: dict[Place, int] = {}
        """Place → up to where messages were taken."""
        self._ends: dict[Place, int] = {}
        """What the take at hand has heard of ends, markers included."""
        self.committed: dict[Place, int] = {}
        """Place → what the group committed last, of what this member is assigned."""
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
                "queued.max.messages.kbytes": _PREFETCH_KB,
                "error_cb": self._complain,
                "log_level": 0,
            }
        )
        self._consumer.subscribe(
            list(topics), on_assign=self._join, on_revoke=self._forget, on_lost=self._forget
        )

    def take(self, rows: int, size: int, wait_s: float) -> Messages:
        """Up to `rows` messages or about `size` bytes, at most `wait_s` seconds after the call."""
        if self._paused:
            self._consumer.resume(self._consumer.assignment())
            self._paused = False
        deadline, assigned = time.monotonic() + wait_s, self.assigned
        found, self._ahead = self._ahead, []
        messages = Messages(self._good(found))
        while (room := rows - len(messages)) > 0 and size > 0:
            left = deadline - time.monotonic()
            piece = self._consumer.consume(
                min(room, _PIECE, max(size // self._largest, 1)), timeout=max(left, 0)
            )
            more = self._good(piece)
            if more:
                sizes = [*map(len, more)]
                self._largest = max(sizes) + 1
                size -= sum(sizes)
                messages.extend(more)
            if left <= 0:
                break
        if self.assigned is not assigned:
            messages = self._still_ours(messages)
        if messages:
            self._note(messages)
        # After the messages before them: until they are noted, an end would say that all is stored.
        heard, self._ends = self._ends, {}
        for place, end in heard.items():
            self.reached[place] = max(end, self._taken_to.get(place, 0))
        return messages

    def _still_ours(self, messages: Messages) -> Messages:
        """A rebalance while it was waiting may have taken a partition away."""
        at = enumerate(zip(messages.topics, messages.partitions, strict=True))
        return messages.only([number for number, place in at if place in self.assigned])

    def _note(self, messages: Messages) -> None:
        ends = messages.ends()
        self._taken.append(ends)
        self._taken_to.update(ends)
        for place, end in ends.items():
            self.reached[place] = max(end, self.reached.get(place, 0))

    def idle(self) -> None:
        """Stay in the group for a moment without taking anything."""
        self._consumer.pause(self._consumer.assignment())
        self._paused = True
        message = self._consumer.poll(_POLL_S)
        if message is not None:
            self._ahead.append(message)

    def commit(self, batches: int) -> dict[Place, int]:
        """Commit the batches that were taken first; returns the next offsets, empty if Kafka did
        not take them. Then they go with the next ones.

        What is not committed is read again, and its rows count once.
        """
        for _ in range(batches):
            self._done.update(self._taken.popleft())
        offsets = [TopicPartition(*place, offset) for place, offset in self._done.items()]
        if not offsets:
            return {}
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            self._complain(error.args[0])
            return {}
        done, self._done = self._done, {}
        self.committed = {**self.committed, **done}
        return done

    def settled(self, place: Place) -> int:
        """Up to where nothing is left to store: once all that was taken is committed, markers at
        the end count as well. May be called from any thread."""
        committed = self.committed.get(place, 0)
        if committed < self._taken_to.get(place, 0):
            return committed
        return max(committed, self.reached.get(place, 0))

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
        self.reached, self._taken_to, self._ends = {}, {}, {}
        self.committed = self._earlier(partitions)
        self.joined = True

    def _earlier(self, partitions: list[TopicPartition]) -> dict[Place, int]:
        """What was committed before. For lag alone: what Kafka does not tell is left out."""
        try:
            found = self._consumer.committed(partitions, timeout=_ANSWER_S)
        except KafkaException:
            return {}
        return {(one.topic, one.partition): one.offset for one in found if one.offset >= 0}

    def _forget(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {(one.topic, one.partition) for one in partitions}
        self.assigned -= gone
        self.joined = False
        self._taken = deque(_without(ends, gone) for ends in self._taken)
        self._done = _without(self._done, gone)
        self.committed = _without(self.committed, gone)
        self._ahead = [one for one in self._ahead if (one.topic(), one.partition()) not in gone]

    def _good(self, found: list[KafkaMessage]) -> list[KafkaMessage]:
        """Messages, without what tells of errors and ends."""
        if not any(map(KafkaMessage.error, found)):  # mostly
            return found
        for one in found:
            self._hear(one)
        return [one for one in found if one.error() is None]

    def _hear(self, message: KafkaMessage) -> None:
        error = message.error()
        if error is None:
            return
        if error.code() == KafkaError._PARTITION_EOF:
            self._ends[message.topic() or "", message.partition() or 0] = message.offset() or 0
        else:
            self._complain(error)

    def _complain(self, error: KafkaError) -> None:
        """Once in a while for each kind; librdkafka goes on trying by itself."""
        now, kind = time.monotonic(), error.name()
        if now - self._said.get(kind, -_QUIET_S) >= _QUIET_S:
            self._said[kind] = now
            _log.warning("kafka_problem", kind=kind, problem=self._explain(error))


def _without(ends: Mapping[Place, int], gone: Container[Place]) -> dict[Place, int]:
    return {place: end for place, end in ends.items() if place not in gone}
