"""The simulated bank's messages, the same for every contender."""

import time
from collections.abc import Sequence
from itertools import islice

from confluent_kafka import Producer

from agents.bank.message import Message
from agents.bank.simulation import messages
from agents.cli.bank import plan_of
from agents.librdkafka import librdkafka_config
from config.settings import BankSettings, Settings
from streams.partitioning import partition_of

_CUSTOMERS = 1_000
_DAY_MS = 86_400_000


def bank_messages(count: int) -> list[Message]:
    """So many messages in the order of arrival, all dated before now: history, then a live day."""
    settings = Settings(bank=BankSettings(customers=_CUSTOMERS))
    origin = time.time_ns() // 1_000_000 - _DAY_MS
    return list(islice(messages(plan_of(settings, origin)), count))


def preload(settings: Settings, loaded: Sequence[Message]) -> None:
    """Send them all, each to its key's partition."""
    options = {"enable.idempotence": False, "linger.ms": 20, "batch.num.messages": 5_000}
    producer = Producer({**librdkafka_config(settings.kafka), **options})
    for message in loaded:
        partition = partition_of(message.key, settings.topics.partitions)
        while True:
            try:
                producer.produce(message.topic, message.value, message.key, partition=partition)
                break
            except BufferError:
                producer.poll(0.1)
    left = producer.flush(120)
    if left:
        raise RuntimeError(f"{left} messages were not delivered in two minutes")
