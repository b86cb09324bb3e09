"""Events for the lane's tests: a few customers, every topic, some broken, some twice."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from confluent_kafka import Producer

from agents.librdkafka import librdkafka_config
from config.settings import Settings
from streams.partitioning import partition_of

START = datetime(2025, 1, 1, tzinfo=UTC)


class Made(NamedTuple):
    topic: str
    key: bytes
    value: bytes


def make_events(count: int, seed: int = 1, customers: int = 40) -> Iterator[Made]:
    """Deterministic; about one in fifty is broken, one in fifty of an unknown type or twice."""
    chance = random.Random(seed)
    last: Made | None = None
    for number in range(count):
        if last is not None and chance.random() < 0.02:
            yield last
            continue
        customer = f"C{chance.randrange(customers):04d}"
        topic, kind, data = _content(chance)
        if chance.random() < 0.01:
            kind = "weather.changed"
        event = {
            "specversion": "1.0",
            "id": f"{seed}-{number}",
            "source": "test",
            "type": kind,
            "subject": customer,
            "time": (START + timedelta(minutes=number)).isoformat(),
            "datacontenttype": "application/json",
            "data": data,
        }
        value = json.dumps(event).encode()
        if chance.random() < 0.02:
            value = value[:-10]
        last = Made(topic, customer.encode(), value)
        yield last


def _content(chance: random.Random) -> tuple[str, str, dict[str, Any]]:
    kind = chance.choice(("page.viewed", "transfer.completed", "customer.updated", "logged.in"))
    if kind == "page.viewed":
        topic = chance.choice(("study-abroad", "fx"))
        return "bank.app", kind, {"page": f"{topic}.html", "page_topic": topic}
    if kind == "logged.in":
        return "bank.app", kind, {"channel": chance.choice(("app", "web"))}
    if kind == "customer.updated":
        return "bank.core", kind, {"tier": chance.choice(("gold", "black")), "rm": "R1"}
    amount = str(chance.choice((1_000, 30_000, 250_000)))
    transfer = {
        "transfer": f"T{chance.getrandbits(32)}",
        "account": "A1",
        "direction": chance.choice(("in", "out")),
        "amount": amount,
        "currency": "CNY",
        "base_amount": amount,
        "counterparty_country": chance.choice(("CN", "US")),
    }
    return "bank.core", kind, transfer


def produce_events(settings: Settings, count: int, seed: int = 1, customers: int = 40) -> None:
    config = {**librdkafka_config(settings.kafka), "enable.idempotence": False}
    producer = Producer(config)
    for made in make_events(count, seed, customers):
        partition = partition_of(made.key, settings.topics.partitions)
        while True:
            try:
                producer.produce(made.topic, made.value, made.key, partition=partition)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(30) == 0
