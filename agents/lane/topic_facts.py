"""What Kafka says of the topics, at a take-over and from time to time behind it.

A topic that was deleted and made anew has another id: producers and consumers go on with it as if
nothing had happened. One that got more partitions has customers that nobody reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, the stub omits it
    AdminClient,
    ConfigResource,
)

from agents.librdkafka import librdkafka_config
from agents.topics import wrong_count
from config.wires import KafkaSettings
from streams.durations import DAY_MS

_TIMEOUT_S = 10.0
_ZERO = "AAAAAAAAAAAAAAAAAAAAAA"
REMOVALS = "delete.retention.ms"
"""The setting that says how long a compacted topic keeps removals."""


@dataclass(frozen=True, slots=True)
class TopicFacts:
    ids: dict[str, str] = field(default_factory=dict)
    """Topic → its id, empty where the broker has none."""
    partitions: dict[str, int] = field(default_factory=dict)
    """Topic → how many it has."""
    removals_kept_ms: int = DAY_MS
    """The changelog's `delete.retention.ms`; Kafka's default where the broker does not say."""

    @property
    def max_age_ms(self) -> int:
        """An older local copy may lack a removal: half, as a restore takes its time too."""
        return self.removals_kept_ms // 2

    def problem(self, partitions: int, earlier: "TopicFacts | None" = None) -> str | None:
        """What is wrong with them, where all should have so many partitions and be the same as
        `earlier`; one line, None if all is well."""
        for topic, there in self.partitions.items():
            if there != partitions:
                return wrong_count(topic, there, partitions)
        for topic, before in earlier.ids.items() if earlier else ():
            if before and self.ids[topic] != before:
                return (
                    f"topic {topic} was made anew while this worker ran: its topic id is "
                    f"{self.ids[topic]}, not {before} any more"
                )
        return None


class FactsError(Exception):
    """Kafka does not say; one line."""

    def __init__(self, topic: str, error: KafkaError) -> None:
        super().__init__(f"topic {topic} cannot be described: {error.str()}")
        self.gone = error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def topic_facts(settings: KafkaSettings, inputs: Sequence[str], changelog: str) -> TopicFacts:
    """Raises FactsError."""
    admin = AdminClient({**librdkafka_config(settings), "log_level": 0})
    resource = ConfigResource(ConfigResource.Type.TOPIC, changelog)
    configs = admin.describe_configs([resource], request_timeout=_TIMEOUT_S)
    topics = TopicCollection([*inputs, changelog])
    ids, partitions = {}, {}
    for topic, answer in admin.describe_topics(topics, request_timeout=_TIMEOUT_S).items():
        try:
            found = answer.result()
        except KafkaException as failure:
            raise FactsError(topic, failure.args[0]) from failure
        text = str(found.topic_id)
        ids[topic] = "" if text == _ZERO else text
        partitions[topic] = len(found.partitions)
    try:
        entry = configs[resource].result().get(REMOVALS)
    except KafkaException:  # an unauthorised look, or a broker that has no configurations
        entry = None
    kept = DAY_MS if entry is None else int(entry.value)
    return TopicFacts(ids, partitions, kept)
