"""A register on a cluster inside the client: no broker runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import Producer

from schemas.rule_register import RULES_TOPIC


@contextmanager
def mock_cluster(*messages: tuple[bytes, bytes | None]) -> Iterator[str]:
    """Its address. It has the register with these messages, and no topic beside it."""
    producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    for key, value in messages or ((b"none", b"{}"),):
        producer.produce(RULES_TOPIC, value, key, partition=0)
    producer.flush(5)
    (broker,) = producer.list_topics(timeout=5).brokers.values()
    yield f"{broker.host}:{broker.port}"
    del producer
