"""Reads the global topics whole, before any event is stepped, and follows them from then on.

Every worker reads all of them, outside any group; a runner takes one snapshot for a chunk.
"""

import threading
import time

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from agents.faults import Fault, die, kind_of
from agents.librdkafka import reader_config
from config.wires import KafkaSettings
from schemas import metrics as m
from schemas.events.reference import GLOBAL_TOPICS
from sinks.metrics import Metrics
from streams.facts import NO_FACTS, FactBook, Facts
from streams.inputs import Raw

_MESSAGES_A_CALL = 1_000
_FILL_S = 0.2
_PATIENCE_S = 30.0
_STOP_S = 5.0

logger = structlog.get_logger()


class FactsFeedError(Exception):
    """The global topics cannot be read; one line."""


class FactsFeed:
    """A consumer on a thread of its own. `now` may be asked from any thread."""

    def __init__(self, kafka: KafkaSettings, metrics: Metrics) -> None:
        self._kafka = kafka
        self._metrics = metrics
        self._book = FactBook()
        self._facts = NO_FACTS
        self._ended: set[str] = set()
        self._whole = threading.Event()
        self._stop = threading.Event()
        self._problem = ""
        self._thread = threading.Thread(target=self._run, name="facts", daemon=True)

    def now(self) -> Facts:
        """What holds now: immutable."""
        return self._facts

    def start(self) -> None:
        """Returns when everything that is there was read. Raises FactsFeedError."""
        self._thread.start()
        deadline = time.monotonic() + _PATIENCE_S
        while not self._whole.wait(0.05):
            if not self._thread.is_alive() or time.monotonic() > deadline:
                missing = ", ".join(sorted(set(GLOBAL_TOPICS) - self._ended))
                why = self._problem or f"no answer in {_PATIENCE_S:g} s"
                raise FactsFeedError(f"{missing} cannot be read to the end: {why}")
        facts = self._facts
        count = sum(len(of_kind) for of_kind in facts.kinds.values())
        logger.info("facts_read", facts=count, offsets=dict(facts.offsets))

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        try:
            self._follow()
        except Exception as error:  # a thread that ends unseen would leave old facts in force
            self._problem = kind_of(error)
            if self._whole.is_set():
                die(Fault.CRASHED, f"following the facts raised {kind_of(error)}")

    def _follow(self) -> None:
        consumer = Consumer(
            {
                **reader_config(self._kafka, "vipcare-facts"),
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
            }
        )
        try:
            consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in GLOBAL_TOPICS])
            while not self._stop.is_set():
                batch = consumer.consume(_MESSAGES_A_CALL, timeout=_FILL_S)
                for message in batch:
                    self._take(message)
                if batch:
                    self._publish()
        finally:
            consumer.close()

    def _take(self, message: Message) -> None:
        topic, offset, error = message.topic() or "", message.offset() or 0, message.error()
        if error is None:
            raw = Raw(topic, 0, offset, message.key(), message.value())
            if problem := self._book.take(raw):
                self._metrics.count(m.FACTS_REFUSED, 1, topic)
                logger.warning("fact_refused", topic=topic, offset=offset, problem=problem)
        elif error.code() == KafkaError._PARTITION_EOF:
            self._ended.add(topic)
        elif error.code() == KafkaError._AUTO_OFFSET_RESET and self._whole.is_set():
            die(Fault.POSITION, f"{topic} was made anew or emptied: start again to read it whole")
        else:
            self._problem = error.str()

    def _publish(self) -> None:
        self._facts = facts = self._book.snapshot()
        for kind, held in facts.kinds.items():
            self._metrics.set(m.FACTS, len(held), kind)
        for topic, offset in facts.offsets.items():
            self._metrics.set(m.FACTS_POSITION, offset, topic)
        if self._ended.issuperset(GLOBAL_TOPICS):
            self._whole.set()
