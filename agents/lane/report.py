"""What the runners tell: metrics for each chunk, and one log line for each new unknown type."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import get_args

import structlog

from agents.lane.cache import RecordCache
from agents.lane.outbox import Sent
from schemas import metrics as m
from schemas.effects import TOPIC_OF, Change, Effect, Withheld
from schemas.position import Position
from sinks.metrics import Metrics
from streams.chunk import Outcome
from streams.intake import Entry

_MAX_TYPES_TOLD = 100

_COUNTERS = {
    "applied": m.APPLIED,
    "duplicates": m.DUPLICATES,
    "late": m.LATE,
    "timers": m.TIMERS,
    "told": m.TOLD,
    "filled": m.FILLED,
    "undeclared": m.UNDECLARED,
}
_LABELLED = {
    "fired": m.RULE_FIRED,
    "rule_failures": m.RULE_FAILED,
}

_WITHHELD = get_args(Withheld)
_AMENDED = get_args(Change)

logger = structlog.get_logger()


def _nobody(_rule: str, _errors: int) -> None:
    """Where nobody wants to know."""


class Report:
    """One for all runners of a worker."""

    def __init__(
        self,
        metrics: Metrics,
        cache: RecordCache,
        rule_failed: Callable[[str, int], None] = _nobody,
    ) -> None:
        """`rule_failed` is told of a rule that raised, and how often."""
        self.metrics = metrics
        self._rule_failed = rule_failed
        self._cache = cache
        self._hits_told = 0
        self._misses_told = 0
        self._types_told: set[str] = set()

    def stepped(self, entries: Sequence[Entry], outcome: Outcome, seconds: float) -> None:
        metrics = self.metrics
        metrics.observe(m.CHUNK_EVENTS, len(entries))
        metrics.observe(m.STEP_SECONDS, seconds)
        for topic, count in Counter(entry.raw.topic for entry in entries).items():
            metrics.count(m.EVENTS, count, topic)
        for name, count in outcome.counts.items():
            self._count(name, count)
        buried = Counter((one.topic, one.category, one.reason) for one in outcome.dead_letters)
        for labels, count in buried.items():
            metrics.count(m.DEAD_LETTERS, count, *labels)

    def committed(
        self, position: Position, effects: Mapping[type[Effect], int], sent: Sent
    ) -> None:
        metrics = self.metrics
        metrics.observe(m.COMMIT_SECONDS, sent.commit)
        metrics.observe(m.STORE_SECONDS, sent.store)
        self.at(position)
        for kind, count in effects.items():
            metrics.count(m.EFFECTS, count, TOPIC_OF[kind])
        self._cached()

    def at(self, position: Position) -> None:
        for topic, taken in position.ranges.items():
            self.metrics.set(m.POSITION, taken.end, topic, str(position.partition))

    def _count(self, name: str, count: int) -> None:
        kind, _, label = name.partition(":")
        if kind == "unknown":
            self.metrics.count(m.UNKNOWN, count)
            self._tell_type(label)
        elif kind in _WITHHELD:
            self.metrics.count(m.RULE_WITHHELD, count, label, kind)
        elif kind in _AMENDED:
            self.metrics.count(m.RULE_AMENDED, count, label, kind)
        elif kind in _LABELLED:
            self.metrics.count(_LABELLED[kind], count, label)
            if kind == "rule_failures":
                self._rule_failed(label, count)
        elif kind != "dead":  # those are counted with their topics
            self.metrics.count(_COUNTERS[kind], count)

    def _tell_type(self, event_type: str) -> None:
        if event_type not in self._types_told and len(self._types_told) < _MAX_TYPES_TOLD:
            self._types_told.add(event_type)
            logger.warning("unknown_event_type", type=event_type, skipped=True)

    def _cached(self) -> None:
        cache, metrics = self._cache, self.metrics
        metrics.count(m.CACHE_HITS, cache.hits - self._hits_told)
        metrics.count(m.CACHE_MISSES, cache.misses - self._misses_told)
        self._hits_told, self._misses_told = cache.hits, cache.misses
        metrics.set(m.CACHE_BYTES, cache.bytes)
        metrics.set(m.PINNED_BYTES, cache.pinned_bytes)
