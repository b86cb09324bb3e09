"""Transfers as the parts send them: all at once, or at a pace by the real clock; and the rule.

Every event is a transfer of one customer; the rule keeps a count and a sum of 30 days a customer
and raises an alert for one in five events. An event's time is when it is produced, in
microseconds, and the alert carries it as its cause's time: so both ends are one machine's clock.
"""

import multiprocessing
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from agents.librdkafka import librdkafka_config
from config.settings import KafkaSettings

TOPIC = "bank.core"
FIRES = 0.2
"""The share of events that raise an alert."""
_SPAWN = multiprocessing.get_context("spawn")
_SLEEP_S = 0.001

_RULE = """\
id: bench-large-transfer
version: 1
title: {en: A large transfer, zh: 大额转账}
kind: risk
owner: Benchmark
status: live
on: transfer.completed
let:
  times: count(transfer.completed, 30d)
  total: sum(base_amount, transfer.completed, 30d)
if: base_amount > 800 and times >= 1
then:
  alert:
    text: {en: "{times} transfers, {total} in all", zh: "{times} 笔转账，合计 {total}"}
"""


def write_rules(folder: Path) -> Path:
    """A folder with the one rule."""
    folder.mkdir()
    (folder / "bench-large-transfer.yaml").write_text(_RULE)
    return folder


def transfer(number: int, customer: str, amount: int, run: str) -> bytes:
    """An event of now. `run` and `number` name it; more than 800 raises an alert."""
    now = datetime.now(UTC).isoformat()
    return (
        f'{{"specversion":"1.0","id":"{run}-{number}","source":"bench",'
        f'"type":"transfer.completed","subject":"{customer}","time":"{now}",'
        f'"data":{{"transfer":"{run}{number}","account":"A1","direction":"out",'
        f'"amount":"{amount}","currency":"CNY","base_amount":"{amount}",'
        f'"counterparty_country":"CN"}}}}'
    ).encode()


def customer(number: int) -> str:
    return f"C{number:06d}"


def uniform(customers: int, seed: int = 1) -> Iterator[str]:
    """Customers, each as likely as the others, without end."""
    chance = random.Random(seed)
    while True:
        yield customer(chance.randrange(customers))


def zipf(customers: int, exponent: float = 1.1, seed: int = 1) -> Iterator[str]:
    """Customers, the n-th as likely as n to the power of -exponent, without end."""
    chance = random.Random(seed)
    cumulated, total = [], 0.0
    for rank in range(1, customers + 1):
        total += rank**-exponent
        cumulated.append(total)
    while True:
        for number in chance.choices(range(customers), cum_weights=cumulated, k=10_000):
            yield customer(number)


def send_all(kafka: KafkaSettings, customers: Iterable[str], run: str) -> int:
    """Send a transfer for each of these customers, as fast as they go; returns how many."""
    sender, chance, number = Sender(kafka, linger_ms=20), random.Random(run), 0
    for number, who in enumerate(customers, start=1):
        sender.send(TOPIC, who.encode(), transfer(number, who, chance.randrange(1_000), run))
    sender.flush()
    return number


@contextmanager
def pace(
    kafka: KafkaSettings, rate: float, seconds: float, customers: int, run: str
) -> Iterator[Callable[[], float]]:
    """Send so many transfers a second from a process of its own.

    Gives a function that waits for its end and returns the rate that was reached.
    """
    stop = _SPAWN.Event()
    told: Any = _SPAWN.SimpleQueue()
    process = _SPAWN.Process(
        target=_pace, args=(kafka, rate, seconds, customers, run, stop, told), daemon=True
    )
    process.start()
    try:
        yield lambda: float(told.get())
    finally:
        stop.set()
        process.join()


def _pace(  # the arguments of a process, which are handed over by name
    kafka: KafkaSettings,
    rate: float,
    seconds: float,
    customers: int,
    run: str,
    stop: Event,
    told: Any,
) -> None:
    sender, chance, who = Sender(kafka, linger_ms=1), random.Random(run), uniform(customers)
    begun, sent, passed = time.perf_counter(), 0, 0.0
    while passed < seconds and not stop.is_set():
        passed = time.perf_counter() - begun
        while sent < int(passed * rate):
            sent += 1
            one = next(who)
            sender.send(TOPIC, one.encode(), transfer(sent, one, chance.randrange(1_000), run))
        time.sleep(_SLEEP_S)
    sender.flush()
    told.put(sent / passed)


class Sender:
    """A producer that partitions as Kafka does and waits while its queue is full."""

    def __init__(self, kafka: KafkaSettings, linger_ms: int, **options: Any) -> None:
        config: dict[str, Any] = {
            **librdkafka_config(kafka),
            "partitioner": "murmur2_random",
            "linger.ms": linger_ms,
            "queue.buffering.max.messages": 500_000,
            **options,
        }
        self.producer = Producer(config)

    def send(self, topic: str, key: bytes, value: bytes, **options: Any) -> None:
        while True:
            try:
                self.producer.produce(topic, value, key, **options)
            except BufferError:
                self.producer.poll(0.05)
            else:
                self.producer.poll(0)
                return

    def flush(self) -> None:
        if left := self.producer.flush(120):
            raise RuntimeError(f"{left} messages were not delivered in two minutes")
