"""What the watchdog of a worker sees: it reads, from its own thread, what the worker keeps.

It reads single values that are replaced whole and dictionaries whose keys stay; a value that is
a moment old does no harm, because only what stays the same for long counts.
"""

import asyncio
from dataclasses import replace
from typing import NamedTuple, cast

from faust.types import TP

from agents.app import LaneApp
from agents.cold_rules import ColdRules
from agents.health import Limits, PartitionSeen, Seen, State, judge, suspicion
from agents.lane.runner import Runner
from agents.lane.transport import Consumer
from agents.librdkafka import librdkafka_config
from agents.rules_feed import RulesFeed
from agents.topics import changelog
from config.settings import Settings
from schemas import metrics as m
from schemas.events import INPUT_TOPICS
from sinks.health import Ages, Health
from sinks.kafka_probe import KafkaProbe
from sinks.metrics import Metrics

_BEAT_S = 0.5


class _Input(NamedTuple):
    """One input of a partition number."""

    place: int | None
    """The next offset to be fetched."""
    more: bool
    """Kafka had more at its last answer, or the runner has not got what was fetched."""
    unasked: bool
    """The runner has enough; no fetch is made."""
    answer: int | None
    """When a fetch was last answered, real milliseconds."""
    lag: int | None


class WorkerWatch:
    """One look after the other at one worker; `look` is for the watchdog's thread alone."""

    def __init__(
        self, app: LaneApp, rules: RulesFeed, settings: Settings, metrics: Metrics
    ) -> None:
        worker = settings.worker
        self._app = app
        self._rules = rules
        self._metrics = metrics
        self._limits = Limits(stalled_after_s=worker.stalled_after_s, ready_lag=worker.ready_lag)
        self._probe = KafkaProbe(librdkafka_config(settings.kafka), worker.app)
        self._topics = (*INPUT_TOPICS, changelog(worker.app))
        self._ages = Ages()
        self._cold = ColdRules(app.lane.wiring.core.time_zone)
        self._beats = 0
        self._told: frozenset[int] = frozenset()

    def beat(self, loop: asyncio.AbstractEventLoop) -> None:
        """Show that the loop turns, now and every half second."""
        self._beats += 1
        loop.call_later(_BEAT_S, self.beat, loop)

    def look(self, elapsed_s: float) -> Health:
        self._ages.advance(elapsed_s)
        seen = self._see()
        answers = not suspicion(seen, self._limits) or self._kafka_answers()
        health = judge(seen, self._limits, kafka_answers=answers)
        self._measure(seen, health)
        rules = self._rules.told() | {"cold": self._cold_rules()}
        return replace(health, detail=_detail(seen) | {"rules": rules})

    def _cold_rules(self) -> dict[str, str | None]:
        windows = [runner.windows() for runner in self._app.lane.runners]
        return self._cold.told(self._rules.now().rules, windows)

    def _kafka_answers(self) -> bool:
        """Whether the leaders of all partitions at stake and the group's coordinator answer."""
        numbers = self._app.lane.partitions or (0,)
        places = [(topic, number) for number in numbers for topic in self._topics]
        return self._probe.group_answers(places[0]) and self._probe.ends(places) is not None

    def _see(self) -> Seen:
        lane = self._app.lane
        phase = State.STOPPING if self._app.should_stop else lane.phase
        blocked_s = self._ages.of("loop", self._beats)
        if phase is State.RUNNING:
            seen = [self._partition(runner) for runner in lane.runners]
            return Seen(phase=phase, blocked_s=blocked_s, partitions=seen)
        copies = lane.copier.restoring.values()
        following = sum(copy.following for copy in copies)
        return Seen(
            phase=phase,
            blocked_s=blocked_s,
            idle_s=self._ages.of("phase", (phase, following, lane.partitions)),
            restore_left=sum(copy.left for copy in copies),
        )

    def _partition(self, runner: Runner) -> PartitionSeen:
        number, progress = runner.partition, runner.progress()
        inputs = {topic: self._input(runner, topic) for topic in self._app.lane.wiring.topics}
        silent_s = max(
            self._ages.of((number, topic), (one.answer, one.unasked)) * (not one.unasked)
            for topic, one in inputs.items()
        )
        behind = progress.at_work or any(one.more for one in inputs.values())
        places = tuple(one.place for one in inputs.values())
        lags = [one.lag for one in inputs.values() if one.lag is not None]
        return PartitionSeen(
            number=number,
            moved_s=self._ages.of((number, "moved"), progress.committed),
            stuck_s=self._ages.of((number, "stuck"), (behind, progress.committed, places)) * behind,
            silent_s=silent_s,
            refused_s=self._ages.of((number, "refused"), progress.refused) * progress.refused,
            behind=behind,
            lag=sum(lags) if lags else None,
        )

    def _input(self, runner: Runner, topic: str) -> _Input:
        consumer = cast(Consumer, self._app.consumer)
        tp = TP(topic, runner.partition)
        fetch = consumer.fetch_state(tp)
        return _Input(
            place=fetch.place,
            more=fetch.more or not runner.has(topic, consumer.fetches.handed(tp)),
            unasked=not runner.room(topic),
            answer=fetch.answer,
            lag=consumer.lag(tp),
        )

    def _measure(self, seen: Seen, health: Health) -> None:
        metrics = self._metrics
        metrics.set(m.STALLED, not health.alive)
        numbers = frozenset(one.number for one in seen.partitions)
        if numbers != self._told:
            metrics.forget(m.BEHIND)
            metrics.forget(m.STUCK_SECONDS)
            self._told = numbers
        for one in seen.partitions:
            metrics.set(m.BEHIND, one.behind, str(one.number))
            metrics.set(m.STUCK_SECONDS, one.stuck_s, str(one.number))


def _detail(seen: Seen) -> dict[str, object]:
    return {
        "phase": seen.phase,
        "loop_blocked_s": round(seen.blocked_s, 1),
        "restore_left": seen.restore_left,
        "partitions": [
            {
                "partition": one.number,
                "behind": one.behind,
                "lag": one.lag,
                "moved_s_ago": round(one.moved_s, 1),
                "stuck_s": round(one.stuck_s, 1),
                "kafka_silent_s": round(one.silent_s, 1),
                "commit_refused_s": round(one.refused_s, 1),
            }
            for one in sorted(seen.partitions, key=lambda one: one.number)
        ],
    }
