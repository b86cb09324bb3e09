"""`--try`: a topic of our own for a moment, and two transactions on it.

It finds what cannot be asked: whether transactions are kept, whether this user may use them, and
what time it is at the broker (its log stamps the message).
"""

import time
from collections.abc import Iterator
from uuid import uuid4

from confluent_kafka import (
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from agents.doctor.clickhouse import skew
from agents.doctor.cluster import TIMEOUT_S, admin_of
from agents.doctor.finding import Examined, Finding, fail, ok, warn
from agents.librdkafka import SILENT, librdkafka_config
from config.settings import Settings

_KEPT, _DROPPED = b"kept", b"dropped"


def trial(examined: Examined) -> Iterator[Finding]:
    settings = examined.settings
    admin, name = admin_of(settings), f"{settings.worker.app}-doctor-{uuid4()}"
    try:
        _make(admin, name, settings)
    except KafkaException as error:
        yield fail(
            f"no topic could be made to try things on: {error.args[0].str()}",
            "ask as a user with the right to create and delete topics named "
            f"{settings.worker.app}-doctor-*",
        )
        return
    try:
        yield from _tried(settings, name)
    finally:
        admin.delete_topics([name], operation_timeout=TIMEOUT_S)[name].result(TIMEOUT_S)


def _make(admin: AdminClient, name: str, settings: Settings) -> None:
    stamped = {"message.timestamp.type": "LogAppendTime"}
    topic = NewTopic(name, 1, settings.topics.replication, config=stamped)
    admin.create_topics([topic], operation_timeout=TIMEOUT_S)[name].result(TIMEOUT_S)


def _tried(settings: Settings, name: str) -> Iterator[Finding]:
    try:
        producer = _producer(settings, name)
        ahead = _send(producer, name, _DROPPED)
        if settings.kafka.transactions:
            producer.abort_transaction(TIMEOUT_S)
            producer.begin_transaction()
            _send(producer, name, _KEPT)
            producer.commit_transaction(TIMEOUT_S)
    except KafkaException as error:
        yield fail(
            f"a message in a transaction was refused: {error.args[0].str()}",
            "see the check `limits`; or give the right to write the transactional ids "
            f"{settings.worker.app}-*",
        )
        return
    if ahead is None:
        yield warn("Kafka does not stamp messages", "compare its clock with this one by hand")
    else:
        yield skew("Kafka", ahead)
    if not settings.kafka.transactions:
        return
    seen = _committed(settings, name)
    if seen == [_KEPT]:
        yield ok("transactions are kept: what was aborted is not seen")
    else:
        yield fail(
            "this broker does not keep transactions: what was aborted can be read",
            "use Apache Kafka, or set VIPCARE_KAFKA__TRANSACTIONS=false and expect repeats",
        )


def _producer(settings: Settings, name: str) -> Producer:
    """Under a transactional id that the worker's prefix covers, and no worker has."""
    transactions: dict[str, str | int] = {}
    if settings.kafka.transactions:
        timeout_ms = settings.worker.transaction_timeout_ms
        transactions = {"transactional.id": name, "transaction.timeout.ms": timeout_ms}
    common = {"acks": "all", "message.timeout.ms": int(TIMEOUT_S * 1_000)}
    producer = Producer(
        {**librdkafka_config(settings.kafka), **common, **transactions}, logger=SILENT
    )
    if transactions:
        producer.init_transactions(TIMEOUT_S)
        producer.begin_transaction()
    return producer


def _send(producer: Producer, topic: str, value: bytes) -> float | None:
    """How far the broker's clock is ahead in seconds; None if it does not stamp messages."""
    taken: list[Message] = []
    sent = time.time()
    producer.produce(
        topic, value, partition=0, on_delivery=lambda _, message: taken.append(message)
    )
    producer.flush(TIMEOUT_S)
    now = time.time()
    if not taken:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "no answer to a message"))
    if (error := taken[0].error()) is not None:
        raise KafkaException(error)
    kind, stamp = taken[0].timestamp()
    if kind != TIMESTAMP_LOG_APPEND_TIME:
        return None
    return stamp / 1_000 - (sent + now) / 2


def _committed(settings: Settings, topic: str) -> list[bytes | None]:
    """What a reader of committed messages sees."""
    reading = {
        "group.id": topic,
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "enable.auto.commit": False,
        "log_level": 0,
    }
    consumer = Consumer({**librdkafka_config(settings.kafka), **reading})
    consumer.assign([TopicPartition(topic, 0, 0)])
    values: list[bytes | None] = []
    deadline = time.monotonic() + TIMEOUT_S
    try:
        while time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is not None and message.error():
                break
            if message is not None:
                values.append(message.value())
    finally:
        consumer.close()
    return values
