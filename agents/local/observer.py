"""What a running stack does, seen from its topics alone: counts, rates, lags, the last effects."""

import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public; the stub is silent
    AdminClient,
    OffsetSpec,
)
from msgspec import MsgspecError

from agents.clock import real_millis
from agents.librdkafka import librdkafka_config, reader_config
from config.settings import Settings
from schemas.effects import Alert, Task, decode_effect
from schemas.events import INPUT_TOPICS
from schemas.position import JOURNAL_TOPIC, decode_position
from schemas.rule_register import RULES_TOPIC
from streams.inputs import Raw
from streams.rules.register import RuleBook

_DEAD = "vip.dead-letters"
_WATCHED = ("vip.tasks", "vip.alerts", _DEAD, JOURNAL_TOPIC)
_MESSAGES_A_CALL = 5_000
_LAG_EVERY_S = 1.0
_RATE_OVER_S = 5.0
_ADMIN_S = 2.0
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the stub has no types here
_LAST_TEN = -2_000 - 10
"""librdkafka's `RD_KAFKA_OFFSET_TAIL(10)`: where the workers of an earlier run stood."""

Place = tuple[str, int]
"""Topic and partition."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An effect as the summary shows it."""

    what: str
    level: str
    customer: str
    title: Mapping[str, str]
    text: Mapping[str, str]


@dataclass(slots=True)
class Facts:
    """Counts since the observer began."""

    events: int = 0
    tasks: int = 0
    alerts: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)
    dead: Counter[str] = field(default_factory=Counter)
    latest: deque[Shown] = field(default_factory=lambda: deque(maxlen=8))
    lag: int = 0
    """Events that wait for a worker; the embedded broker shows the last batch late."""
    sink_lag: int = 0
    """Messages that wait for the sink."""
    isolated: tuple[str, ...] = ()
    """Rules that raised too often, as RULE@VERSION: they run in shadow."""
    bank_time: int | None = None
    """The bank clock of the newest chunk, epoch milliseconds."""


class Observer:
    """Reads effects and the journal outside any group. Call `poll` often."""

    def __init__(self, settings: Settings, *, from_start: bool) -> None:
        self.facts = Facts()
        self.positions: dict[Place, int] = {}
        self._settings = settings
        self._book = RuleBook()
        self._rates: deque[tuple[float, int]] = deque()
        self._looked = time.monotonic()
        self._admin = AdminClient({**librdkafka_config(settings.kafka), "log_level": 0})
        isolation = "read_committed" if settings.kafka.transactions else "read_uncommitted"
        config: dict[str, Any] = {
            **reader_config(settings.kafka, "vipcare-up"),
            "isolation.level": isolation,
            "fetch.wait.max.ms": 100,
        }
        self._consumer = Consumer(config)
        self._since = 0 if from_start else real_millis()
        effects = OFFSET_BEGINNING if from_start else OFFSET_END
        journal = OFFSET_BEGINNING if from_start else _LAST_TEN
        partitions = range(settings.topics.partitions)
        self._consumer.assign(
            [TopicPartition(RULES_TOPIC, 0, OFFSET_BEGINNING)]
            + [
                TopicPartition(topic, number, journal if topic == JOURNAL_TOPIC else effects)
                for topic in _WATCHED
                for number in partitions
            ]
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def poll(self, wait_s: float) -> None:
        """Take in what has come, waiting at most `wait_s` for it."""
        for message in self._consumer.consume(_MESSAGES_A_CALL, timeout=wait_s):
            if message.error() is None:
                self._take(message)
        now = time.monotonic()
        if now - self._looked >= _LAG_EVERY_S:
            self._looked = now
            self._rates.append((now, self.facts.events))
            while self._rates and self._rates[0][0] < now - _RATE_OVER_S - _LAG_EVERY_S:
                self._rates.popleft()
            self._measure_lags()

    def rate(self) -> float:
        """Events a second, over the last five seconds."""
        if len(self._rates) < 2:
            return 0.0
        (since, before), (now, after) = self._rates[0], self._rates[-1]
        return (after - before) / (now - since)

    def sink_places(self) -> dict[Place, int]:
        """The next offset that the sink will read, where it has committed one."""
        asked = ConsumerGroupTopicPartitions(self._settings.sink.group)
        outcome = self._admin.list_consumer_group_offsets([asked])[asked.group_id]
        found = outcome.result(_ADMIN_S).topic_partitions
        return {(one.topic, one.partition): one.offset for one in found if one.offset >= 0}

    def _take(self, message: Message) -> None:
        topic, value = message.topic(), message.value() or b""
        facts = self.facts
        if topic == _DEAD:
            headers = dict(message.headers() or [])
            reason = headers.get("vipcare-reason") or b"?"
            facts.dead[reason.decode() if isinstance(reason, bytes) else str(reason)] += 1
            return
        if topic == RULES_TOPIC:
            self._book.take(Raw(topic, 0, message.offset() or 0, message.key(), message.value()))
            isolated = sorted(self._book.state.isolated_in_force())
            facts.isolated = tuple(f"{rule}@{version}" for rule, version in isolated)
            return
        try:
            if topic == JOURNAL_TOPIC:
                self._take_position(value, is_new=message.timestamp()[1] >= self._since)
            else:
                self._take_effect(value)
        except MsgspecError:
            return  # of another version; the report counts what cannot be read, this only shows

    def _take_position(self, value: bytes, *, is_new: bool) -> None:
        position = decode_position(value)
        self.facts.bank_time = max(position.now, self.facts.bank_time or 0)
        for topic, taken in position.ranges.items():
            self.facts.events += taken.end - taken.start if is_new else 0
            self.positions[topic, position.partition] = taken.end

    def _take_effect(self, value: bytes) -> None:
        effect = decode_effect(value)
        if isinstance(effect, Task):
            self.facts.tasks += 1
            what, level = "task", effect.data.priority
        elif isinstance(effect, Alert):
            self.facts.alerts += 1
            what, level = "alert", effect.data.severity
        else:
            return
        data = effect.data
        self.facts.by_rule[data.rule.id] += 1
        self.facts.latest.append(Shown(what, level, effect.subject, data.title, data.text))

    def _measure_lags(self) -> None:
        partitions = range(self._settings.topics.partitions)
        inputs = {(topic, number): 0 for topic in INPUT_TOPICS for number in partitions}
        try:
            sink = self.sink_places()
            ends = self._ends([*inputs, *(place for place in sink if place not in inputs)])
        except (KafkaException, TimeoutError):
            return  # the next look will tell; a broker that has gone shows as a dead child
        slack = 1 if self._settings.kafka.transactions else 0  # a commit's marker takes an offset
        applied = {**inputs, **self.positions}
        self.facts.lag = sum(max(0, ends[place] - applied[place]) for place in inputs)
        self.facts.sink_lag = sum(max(0, ends[place] - at - slack) for place, at in sink.items())

    def _ends(self, places: list[Place]) -> dict[Place, int]:
        asked = {TopicPartition(*place): _LATEST for place in places}
        answers = self._admin.list_offsets(asked)
        return {
            (one.topic, one.partition): answer.result(_ADMIN_S).offset
            for one, answer in answers.items()
        }
