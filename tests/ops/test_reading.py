"""Topics are read to their end: what was committed, once, in order, on both brokers."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from agents.local.broker import EmbeddedBroker
from agents.reading import RangeReader, ReadingError, read_topic
from config.settings import KafkaSettings
from tests.kafka_server import KafkaServer


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def kafka(request: pytest.FixtureRequest) -> Iterator[KafkaSettings]:
    if request.param == "kafka":
        server: KafkaServer = request.getfixturevalue("fresh_kafka")
        yield KafkaSettings(bootstrap=server.bootstrap)
        return
    with EmbeddedBroker() as broker:
        yield KafkaSettings(bootstrap=broker.bootstrap, transactions=False)


def _topic(kafka: KafkaSettings, name: str, partitions: int = 1) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([NewTopic(name, partitions, 1)])[name].result()


def _producer(kafka: KafkaSettings) -> Producer:
    """In order: what came to a topic that has just been made, too early, is sent again, and without
    idempotence after what followed it. The embedded broker has none of either."""
    in_order = {"enable.idempotence": kafka.transactions}
    return Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 1, **in_order})


def test_every_partition_to_its_end(kafka: KafkaSettings) -> None:
    _topic(kafka, "t", 3)
    producer = _producer(kafka)
    for number in range(5_000):
        producer.produce("t", b"%d" % number, key=b"k", partition=number % 2)
    producer.flush(20)
    found = list(read_topic(kafka, "t"))
    assert [one.value for one in found if one.partition == 0] == [
        b"%d" % number for number in range(0, 5_000, 2)
    ]
    assert len(found) == 5_000
    assert {one.key for one in found} == {b"k"}
    assert list(read_topic(kafka, "t")) == found


def test_ranges_follow_each_other(kafka: KafkaSettings) -> None:
    _topic(kafka, "t")
    _topic(kafka, "empty")
    producer = _producer(kafka)
    for number in range(30):
        producer.produce("t", b"%d" % number)
        producer.flush(20)
    reader = RangeReader(kafka, 0)
    assert [one.offset for one in reader.take("t", 0, 7)] == list(range(7))
    assert reader.take("t", 7, 7) == []
    assert reader.take("empty", 0, 3) == []
    assert [one.offset for one in reader.take("t", 7, 20)] == list(range(7, 20))
    assert reader.rest("t", 20) == 10
    assert reader.rest("empty", 0) == 0


def test_a_missing_topic_is_one_line(kafka: KafkaSettings) -> None:
    with pytest.raises(ReadingError, match="topic nothing is missing"):
        list(read_topic(kafka, "nothing"))


@pytest.mark.kafka
def test_what_was_not_committed_is_not_seen(fresh_kafka: KafkaServer) -> None:
    kafka = KafkaSettings(bootstrap=fresh_kafka.bootstrap)
    _topic(kafka, "t")
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": "one"})
    producer.init_transactions(20)
    for value, keep in ((b"a", True), (b"b", False), (b"c", True)):
        producer.begin_transaction()
        producer.produce("t", value)
        producer.flush(20)
        producer.commit_transaction(20) if keep else producer.abort_transaction(20)
    found = list(read_topic(kafka, "t"))
    assert [(one.offset, one.value) for one in found] == [(0, b"a"), (4, b"c")]
    assert [one.offset for one in RangeReader(kafka, 0).take("t", 0, 6)] == [0, 4]
