"""Kafka's ids of topics: a topic that was deleted and made anew has another."""

from collections.abc import Sequence

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from agents.faults import Fault, die
from agents.librdkafka import librdkafka_config
from config.settings import KafkaSettings

_TIMEOUT_S = 10.0
_ZERO = "AAAAAAAAAAAAAAAAAAAAAA"


def topic_ids(settings: KafkaSettings, topics: Sequence[str]) -> dict[str, str]:
    """Topic → its id, empty where the broker has none. A topic that is gone is a fault."""
    admin = AdminClient({**librdkafka_config(settings), "log_level": 0})
    asked = admin.describe_topics(TopicCollection(list(topics)), request_timeout=_TIMEOUT_S)
    found = {}
    for topic, answer in asked.items():
        try:
            text = str(answer.result().topic_id)
        except KafkaException as error:
            die(Fault.POSITION, f"topic {topic} cannot be described: {error.args[0].str()}")
        found[topic] = "" if text == _ZERO else text
    return found
