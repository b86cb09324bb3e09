"""Sends traffic to Kafka on a thread, and knows where every input topic ends."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import Any, Self

from confluent_kafka import KafkaError, Producer

from agents.librdkafka import librdkafka_config
from config.wires import KafkaSettings
from schemas.events.reference import GLOBAL_TOPICS
from tests.kill.workload import Message

_TICK_S = 0.05


class Feeder:
    """Every message is there once: an idempotent producer that tries until it is through."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.ends: dict[tuple[str, int], int] = defaultdict(int)
        """(topic, partition) → the offset after its last message."""
        self._failures: list[str] = []
        config: dict[str, Any] = {
            **librdkafka_config(kafka),
            "enable.idempotence": True,
            "delivery.timeout.ms": 120_000,
            "message.max.bytes": 1_040_000,
            "linger.ms": 2,
            "log_level": 0,
        }
        self._producer = Producer(config)

    def send(self, message: Message) -> None:
        while True:
            try:
                self._producer.produce(
                    message.topic,
                    message.value,
                    message.key,
                    partition=message.partition,
                    on_delivery=self._delivered,
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def flush(self) -> None:
        assert self._producer.flush(120) == 0, "Kafka did not take everything"
        assert not self._failures, self._failures[:3]

    def poll(self) -> None:
        self._producer.poll(0)

    def _delivered(self, error: KafkaError | None, message: Any) -> None:
        if error is not None:
            self._failures.append(error.str())
            return
        if message.topic() in GLOBAL_TOPICS:
            return  # no position tells of it
        place = message.topic(), message.partition()
        self.ends[place] = max(self.ends[place], message.offset() + 1)


class Flow:
    """While this context is open, so many messages a second flow; at its end all are there."""

    def __init__(self, feeder: Feeder, traffic: Iterator[Message], rate: int) -> None:
        self._feeder = feeder
        self._traffic = traffic
        self._rate = rate
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flow")

    def burst(self, count: int) -> None:
        """So many at once, beside the flow."""
        with self._lock:
            for message in islice(self._traffic, count):
                self._feeder.send(message)
        self._feeder.poll()

    def _run(self) -> None:
        sent, begun = 0, time.monotonic()
        while not self._stop.wait(_TICK_S):
            due = int((time.monotonic() - begun) * self._rate) - sent
            self.burst(due)
            sent += due

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._feeder.flush()
