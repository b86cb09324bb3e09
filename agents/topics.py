"""The topics: their table, how they are made, and what can be wrong with them.

Nothing makes topics by itself. `create` makes those that are missing and changes nothing that is
there; `check` compares what is there with the table. Both speak to Apache Kafka and to the
embedded broker.
"""

import contextlib
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, the stub omits it
    AdminClient,
    ConfigResource,
)
from confluent_kafka.cimpl import NewTopic

from agents.diagnosis import wire_problem
from agents.librdkafka import librdkafka_config, unreachable
from config.settings import Settings
from schemas.audit import AUDIT_TOPIC
from schemas.events import INPUT_TOPICS, INTERNAL
from schemas.events.campaign import CAMPAIGNS
from schemas.events.reference import GLOBAL_TOPICS
from schemas.position import JOURNAL_TOPIC
from schemas.rule_register import RULES_TOPIC
from streams.durations import DAY_MS

DEAD_LETTER_DAYS = 14
_FOR_EVER = -1
JOURNAL_DAYS = 30
_TIMEOUT_S = 5.0

Cleanup = Literal["delete", "compact"]


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    cleanup: Cleanup = "delete"
    days: int = _FOR_EVER
    """How long a record is kept; compacted topics keep the last of each key for ever."""
    compaction_lag_days: int = 0
    """A compacted topic keeps what was replaced for at least so long."""
    keyed: bool = True
    """By customer, as many partitions as the settings say; else one partition."""

    def partitions(self, settings: Settings) -> int:
        return settings.topics.partitions if self.keyed else 1

    def configuration(self, settings: Settings) -> dict[str, str]:
        kept = self.days * DAY_MS if self.days != _FOR_EVER else _FOR_EVER
        configuration = {
            "cleanup.policy": self.cleanup,
            "retention.ms": str(kept),
            "min.insync.replicas": str(settings.topics.min_insync),
        }
        if self.compaction_lag_days:
            configuration["min.compaction.lag.ms"] = str(self.compaction_lag_days * DAY_MS)
        return configuration


def changelog(app: str) -> str:
    """The name of the changelog of the customer records."""
    return f"{app}-customers-changelog"


def all_topics(settings: Settings) -> tuple[Topic, ...]:
    """Every topic of a deployment. `vip.audit` is kept until somebody decides by law."""
    # As long as the journal, whose positions name what they used.
    facts = [
        Topic(name, "compact", compaction_lag_days=JOURNAL_DAYS, keyed=False)
        for name in GLOBAL_TOPICS
        if name != CAMPAIGNS
    ]
    sources = [Topic(name, days=30) for name in INPUT_TOPICS if name != INTERNAL]
    return (
        *sources,
        # As long as the dead letters: it tells which of them were replayed.
        Topic(INTERNAL, days=DEAD_LETTER_DAYS),
        *facts,
        Topic(RULES_TOPIC, "compact", compaction_lag_days=JOURNAL_DAYS, keyed=False),
        Topic(CAMPAIGNS, days=90, keyed=False),
        Topic("vip.tasks", days=90),
        Topic("vip.alerts", days=90),
        Topic("vip.actions", days=90),
        Topic("vip.decisions", days=90),
        Topic("vip.profiles", "compact"),
        Topic("vip.dead-letters", days=DEAD_LETTER_DAYS),
        Topic(AUDIT_TOPIC, keyed=False),
        Topic(changelog(settings.worker.app), "compact"),
        Topic(JOURNAL_TOPIC, days=JOURNAL_DAYS),
    )


def places_of(topics: Iterable[str], settings: Settings) -> Iterator[tuple[str, int]]:
    """Each partition of topics that are read: of those keyed by customer all, of others one."""
    for topic in topics:
        whole = topic in GLOBAL_TOPICS or topic == AUDIT_TOPIC
        for partition in range(1 if whole else settings.topics.partitions):
            yield topic, partition


FIXED = "the number is fixed for the life of a deployment"


class TopicsError(Exception):
    """Kafka did not answer, or refused; one line."""


def create(settings: Settings) -> list[str]:
    """Make the topics that are missing; returns the names of those made. Raises TopicsError."""
    admin = _admin(settings)
    there = _partition_counts(admin, settings)
    missing = [topic for topic in all_topics(settings) if topic.name not in there]
    if not missing:
        return []
    asked = [
        NewTopic(
            topic.name,
            num_partitions=topic.partitions(settings),
            replication_factor=settings.topics.replication,
            config=topic.configuration(settings),
        )
        for topic in missing
    ]
    made = []
    for name, outcome in admin.create_topics(asked, operation_timeout=_TIMEOUT_S).items():
        try:
            outcome.result()
        except KafkaException as error:
            # Somebody made it since we looked: what we wanted.
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise TopicsError(f"topic {name} was not made: {error.args[0].str()}") from error
        else:
            made.append(name)
    _await_listing(admin, settings, made)
    return sorted(made)


def _await_listing(admin: AdminClient, settings: Settings, made: Sequence[str]) -> None:
    """A broker may list a topic some moments after it said that it was made."""
    deadline = time.monotonic() + _TIMEOUT_S
    while not _partition_counts(admin, settings).keys() >= set(made):
        if time.monotonic() > deadline:
            raise TopicsError(f"Kafka made the topics, but lists them not in {_TIMEOUT_S:g} s")
        time.sleep(0.1)


def check(settings: Settings, names: Collection[str] | None = None) -> list[str]:
    """What is wrong with the topics, one line each; empty if all is well. Raises TopicsError.

    `names` are those that matter; others are not looked at, which may need rights of their own.
    """
    admin = _admin(settings)
    there = _partition_counts(admin, settings)
    topics = [one for one in all_topics(settings) if names is None or one.name in names]
    found = [topic for topic in topics if topic.name in there]
    policies = _cleanup_policies(admin, [topic.name for topic in found])
    problems = [
        f"topic {topic.name} is missing: make it with `vipcare topics create`"
        for topic in topics
        if topic.name not in there
    ]
    for topic in found:
        problems += _differences(topic, there[topic.name], policies.get(topic.name), settings)
    return problems


def wrong_count(topic: str, partitions: int, wanted: int, why: str = FIXED) -> str:
    """What is said of a topic with another number of partitions; one line."""
    return f"topic {topic} has {partitions} partitions, not {wanted}: {why}"


def _differences(
    topic: Topic, partitions: int, cleanup: str | None, settings: Settings
) -> list[str]:
    wanted = topic.partitions(settings)
    problems = []
    if partitions != wanted:
        problems.append(
            wrong_count(topic.name, partitions, wanted, FIXED if topic.keyed else "it is global")
        )
    if cleanup is not None and cleanup != topic.cleanup:
        problems.append(f"topic {topic.name} has cleanup.policy={cleanup}, not {topic.cleanup}")
    return problems


def _admin(settings: Settings) -> AdminClient:
    """Raises TopicsError where no client of ours can use the wire."""
    if problem := wire_problem(settings.kafka):  # librdkafka would try for long
        raise TopicsError(problem)
    # A refused connection is told once, by us, not by the client's own lines on stderr.
    return AdminClient({**librdkafka_config(settings.kafka), "log_level": 0})


def _partition_counts(admin: AdminClient, settings: Settings) -> dict[str, int]:
    try:
        listed = admin.list_topics(timeout=_TIMEOUT_S).topics
    except KafkaException as error:
        raise TopicsError(unreachable(settings.kafka, error)) from error
    return {name: len(topic.partitions) for name, topic in listed.items()}


def _cleanup_policies(admin: AdminClient, names: Sequence[str]) -> dict[str, str]:
    """Topic → its cleanup.policy; absent where the broker does not say."""
    if not names:
        return {}
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
    policies = {}
    for resource, outcome in admin.describe_configs(resources).items():
        # An unauthorised look, or a slow answer, is no problem of a topic.
        with contextlib.suppress(KafkaException, TimeoutError):
            entry = outcome.result(timeout=_TIMEOUT_S).get("cleanup.policy")
            if entry is not None and entry.value:
                policies[resource.name] = entry.value
    return policies
