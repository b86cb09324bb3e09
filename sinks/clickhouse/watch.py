"""What the watchdog of a sink sees: the sink's own counters, and what Kafka says it holds."""

import time
from collections.abc import Mapping
from dataclasses import replace

from schemas import metrics as names
from sinks.clickhouse.address import FAILURES, Address, greet
from sinks.clickhouse.health import Seen, judge, suspicion
from sinks.clickhouse.messages import Place
from sinks.clickhouse.sink import Progress, Sink
from sinks.health import Ages, Health
from sinks.kafka_probe import KafkaProbe
from sinks.metrics import Metrics

_ASK_EVERY_S = 5.0


class SinkWatch:
    """One look after the other at one sink; `look` is for the watchdog's thread alone.

    `kafka` is librdkafka's configuration of a client of its own.
    """

    def __init__(
        self,
        sink: Sink,
        address: Address,
        kafka: Mapping[str, str | int | float | bool],
        metrics: Metrics,
        stalled_after_s: float,
    ) -> None:
        self._sink = sink
        self._address = address
        self._probe = KafkaProbe(kafka, "vipcare-sink-watch")
        self._metrics = metrics
        self._stalled_after_s = stalled_after_s
        self._ages = Ages()
        self._until_asked = 0.0
        self._answers = 0
        self._answered = True
        self._ends: dict[Place, int] = {}

    def look(self, elapsed_s: float) -> Health:
        self._ages.advance(elapsed_s)
        self._until_asked -= elapsed_s
        if self._until_asked <= 0:
            self._until_asked = _ASK_EVERY_S
            self._ask()
        self._tell(self._sink.progress())
        seen = self._see()
        limit = self._stalled_after_s
        answers = not suspicion(seen, limit) or self._clickhouse_answers()
        health = judge(seen, limit, clickhouse_answers=answers)
        self._metrics.set(names.SINK_STALLED, not health.alive)
        detail = {
            "quiet_s": round(seen.quiet_s, 1),
            "stuck_s": round(seen.stuck_s, 1),
            "kafka_silent_s": round(seen.kafka_silent_s, 1),
        }
        return replace(health, detail=detail)

    def _see(self) -> Seen:
        progress = self._sink.progress()
        behind = (
            not progress.joined
            or progress.pending > 0
            or any(
                end > progress.reached.get(place, 0)
                for place, end in self._ends.items()
                if place in progress.assigned
            )
        )
        silent_s = self._ages.of("kafka", self._answers)
        return Seen(
            joined=progress.joined,
            checked=progress.checked,
            away=progress.away,
            quiet_s=self._ages.of("turns", progress.turns),
            stuck_s=self._ages.of("stored", (progress.stored, behind)) * behind,
            kafka_silent_s=silent_s * (not self._answered),
        )

    def _tell(self, progress: Progress) -> None:
        """What grows by itself while nothing is stored."""
        now = time.time() * 1_000
        for table, newest in progress.newest.items():
            self._metrics.set(names.SINK_NEWEST_AGE, (now - newest) / 1_000, table.name)
        for place, end in self._ends.items():
            if place in progress.assigned:
                lag = max(end - progress.settled.get(place, 0), 0)
                self._metrics.set(names.SINK_LAG, lag, place[0], str(place[1]))

    def _ask(self) -> None:
        """Ask Kafka for the ends of what is assigned; of one partition while nothing is."""
        progress = self._sink.progress()
        places = progress.assigned or {(self._sink.topics[0], 0)}
        ends = self._probe.ends(places)
        self._answered = ends is not None
        if ends is not None:
            self._ends = ends
            self._answers += 1

    def _clickhouse_answers(self) -> bool:
        try:
            greet(self._address)
        except FAILURES:
            return False
        return True
