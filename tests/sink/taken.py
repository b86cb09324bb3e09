"""Messages as if the driver had taken them from Kafka."""

from collections.abc import Iterable

from confluent_kafka import Message as KafkaMessage

from sinks.clickhouse.message import Message
from sinks.clickhouse.messages import Messages


def taken(messages: Iterable[Message]) -> Messages:
    return Messages(map(_as_taken, messages))


def _as_taken(one: Message) -> KafkaMessage:
    return KafkaMessage(
        topic=one.topic,
        partition=one.partition,
        offset=one.offset,
        timestamp=(1, one.timestamp),
        key=one.key,
        value=one.value,
        headers=[*one.headers],
    )
