"""The Kafka of the tests: transactions work, and what was written outlives a kill."""

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.kafka_server import KafkaServer

pytestmark = pytest.mark.kafka


def _committed(bootstrap: str, topic: str) -> list[bytes | None]:
    """Everything in partition 0 that a read_committed reader sees."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "test",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    values: list[bytes | None] = []
    while True:
        message = consumer.poll(20)
        assert message is not None, "neither a message nor the end within 20 s"
        if message.error():
            consumer.close()
            return values
        values.append(message.value())


def test_transactions_and_a_kill(fresh_kafka: KafkaServer) -> None:
    topic = "made-for-this-test"
    admin = AdminClient({"bootstrap.servers": fresh_kafka.bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result()
    producer = Producer(
        {"bootstrap.servers": fresh_kafka.bootstrap, "transactional.id": "test", "linger.ms": 0}
    )
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(topic, b"kept")
    producer.commit_transaction(20)
    producer.begin_transaction()
    producer.produce(topic, b"dropped")
    producer.flush(20)
    producer.abort_transaction(20)
    address = fresh_kafka.bootstrap
    fresh_kafka.kill()
    with pytest.raises(KafkaException):
        AdminClient({"bootstrap.servers": address, "log_level": 0}).list_topics(timeout=0.5)
    assert fresh_kafka.start() == address
    assert _committed(address, topic) == [b"kept"]
