"""What Kafka says of the topics at a take-over: their ids, and how long a removal is remembered.

A topic that was deleted and made anew has another id.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, the stub omits it
    AdminClient,
    ConfigResource,
)

from agents.faults import Fault, die
from agents.librdkafka import librdkafka_config
from config.settings import KafkaSettings
from streams.durations import DAY_MS

_TIMEOUT_S = 10.0
_ZERO = "AAAAAAAAAAAAAAAAAAAAAA"
_REMOVALS = "delete.retention.ms"


@dataclass(frozen=True, slots=True)
class TopicFacts:
    ids: dict[str, str] = field(default_factory=dict)
    """Topic → its id, empty where the broker has none."""
    removals_kept_ms: int = DAY_MS
    """The changelog's `delete.retention.ms`; Kafka's default where the broker does not say."""

    @property
    def max_age_ms(self) -> int:
        """An older local copy may lack a removal: half, as a restore takes its time too."""
        return self.removals_kept_ms // 2


def topic_facts(settings: KafkaSettings, inputs: Sequence[str], changelog: str) -> TopicFacts:
    """A topic that is gone is a fault."""
    admin = AdminClient({**librdkafka_config(settings), "log_level": 0})
    resource = ConfigResource(ConfigResource.Type.TOPIC, changelog)
    configs = admin.describe_configs([resource], request_timeout=_TIMEOUT_S)
    topics = TopicCollection([*inputs, changelog])
    ids = {}
    for topic, answer in admin.describe_topics(topics, request_timeout=_TIMEOUT_S).items():
        try:
            text = str(answer.result().topic_id)
        except KafkaException as failure:
            error = failure.args[0]
            gone = error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
            fault = Fault.POSITION if gone else Fault.KAFKA
            die(fault, f"topic {topic} cannot be described: {error.str()}")
        ids[topic] = "" if text == _ZERO else text
    try:
        entry = configs[resource].result().get(_REMOVALS)
    except KafkaException:  # an unauthorised look, or a broker that has no configurations
        entry = None
    return TopicFacts(ids) if entry is None else TopicFacts(ids, int(entry.value))
