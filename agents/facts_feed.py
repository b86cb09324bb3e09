"""Reads the reference data and the organisation whole, before any event is stepped, and follows
them from then on; a runner takes one snapshot for a chunk."""

import structlog

from agents.follower import Follower
from config.wires import KafkaSettings
from schemas import metrics as m
from schemas.events.reference import GLOBAL_TOPICS
from sinks.metrics import Metrics
from streams.facts import NO_FACTS, FactBook, Facts
from streams.inputs import Raw

logger = structlog.get_logger()


class FactsFeed:
    """`now` may be asked from any thread."""

    def __init__(self, kafka: KafkaSettings, metrics: Metrics) -> None:
        self._metrics = metrics
        self._book = FactBook()
        self._facts = NO_FACTS
        self._follower = Follower(kafka, "vipcare-facts", GLOBAL_TOPICS, self._take, self._publish)

    def now(self) -> Facts:
        """What holds now: immutable."""
        return self._facts

    def start(self) -> None:
        """Returns when everything that is there was read. Raises FollowError."""
        self._follower.start()
        facts = self._facts
        count = sum(len(of_kind) for of_kind in facts.kinds.values())
        logger.info("facts_read", facts=count, offsets=dict(facts.offsets))

    def stop(self) -> None:
        self._follower.stop()

    def _take(self, raw: Raw) -> None:
        if problem := self._book.take(raw):
            self._metrics.count(m.FACTS_REFUSED, 1, raw.topic)
            logger.warning("fact_refused", topic=raw.topic, offset=raw.offset, problem=problem)

    def _publish(self) -> None:
        facts = self._book.snapshot()
        if facts is self._facts:
            return
        self._facts = facts
        for kind, held in facts.kinds.items():
            self._metrics.set(m.FACTS, len(held), kind)
        for topic, offset in facts.offsets.items():
            self._metrics.set(m.FACTS_POSITION, offset, topic)
