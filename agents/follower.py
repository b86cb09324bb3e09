"""Reads topics of one partition whole, then follows them, on a thread of its own.

Every worker reads them so, outside any group: global topics, which no event is stepped without.
"""

import threading
import time
from collections.abc import Callable, Sequence

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from agents.faults import Fault, die, kind_of
from agents.librdkafka import reader_config
from config.wires import KafkaSettings
from streams.inputs import Raw

_MESSAGES_A_CALL = 1_000
_FILL_S = 0.2
_PATIENCE_S = 30.0
_STOP_S = 5.0

logger = structlog.get_logger()


class FollowError(Exception):
    """The topics cannot be read to their end; one line."""


class Follower:
    """`take` is given each message, `look` is called several times a second once all that was there
    at the start is read, the first time before `start` returns: both on the thread."""

    def __init__(
        self,
        kafka: KafkaSettings,
        name: str,
        topics: Sequence[str],
        take: Callable[[Raw], None],
        look: Callable[[], None],
    ) -> None:
        self._kafka = kafka
        self._name = name
        self._topics = topics
        self._take = take
        self._look = look
        self._ended: set[str] = set()
        self._whole = threading.Event()
        self._stop = threading.Event()
        self._problem = ""
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Returns when everything that is there was read. Raises FollowError, and what `look`
        raises."""
        self._thread.start()
        deadline = time.monotonic() + _PATIENCE_S
        while not self._whole.wait(0.05):
            if self._error is not None:
                raise self._error
            if not self._thread.is_alive() or time.monotonic() > deadline:
                missing = ", ".join(sorted(set(self._topics) - self._ended))
                why = self._problem or f"no answer in {_PATIENCE_S:g} s"
                raise FollowError(f"{missing} cannot be read to the end: {why}")

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        try:
            self._follow()
        except Exception as error:  # a thread that ends unseen would leave old things in force
            if self._whole.is_set():
                die(Fault.CRASHED, f"following {', '.join(self._topics)} raised {kind_of(error)}")
            self._error = error

    def _follow(self) -> None:
        consumer = Consumer(
            {
                **reader_config(self._kafka, self._name),
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
            }
        )
        try:
            consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in self._topics])
            while not self._stop.is_set():
                for message in consumer.consume(_MESSAGES_A_CALL, timeout=_FILL_S):
                    self._receive(message)
                if self._ended.issuperset(self._topics):
                    self._look()
                    self._whole.set()
        finally:
            consumer.close()

    def _receive(self, message: Message) -> None:
        topic, offset, error = message.topic() or "", message.offset() or 0, message.error()
        if error is None:
            self._take(Raw(topic, 0, offset, message.key(), message.value()))
        elif error.code() == KafkaError._PARTITION_EOF:
            self._ended.add(topic)
        elif error.code() == KafkaError._AUTO_OFFSET_RESET and self._whole.is_set():
            die(Fault.POSITION, f"{topic} was made anew or emptied: start again to read it whole")
        else:
            self._problem = error.str()
