"""Who reads the effects: a `read_committed` consumer in a process of its own, tuned for latency."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.synchronize import Event
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from agents.librdkafka import reader_config
from config.settings import KafkaSettings

_SPAWN = multiprocessing.get_context("spawn")
_SILENCE_S = 1.0


class Seen(NamedTuple):
    """One effect. Times in epoch seconds."""

    partition: int
    caused: float
    """The time of the event that made it."""
    at: float
    """When it was read; it was committed then."""
    waited_until: float | None = None
    """When its rule's wait ended, by the bank clock; None if it did not wait."""


class Reading:
    """Effects read so far by the process beside."""

    def __init__(self, stop: Event, told: Any) -> None:
        self._stop = stop
        self._told = told

    def end(self) -> list[Seen]:
        """Everything that was seen, in order of arrival, up to a second without any."""
        self._stop.set()
        return [Seen(*one) for one in self._told.get()]


@contextmanager
def reading(kafka: KafkaSettings, topic: str, partitions: int) -> Iterator[Reading]:
    """Read what comes from now on."""
    ready, stop = _SPAWN.Event(), _SPAWN.Event()
    told: Any = _SPAWN.SimpleQueue()
    process = _SPAWN.Process(
        target=_read, args=(kafka, topic, partitions, ready, stop, told), daemon=True
    )
    process.start()
    try:
        if not ready.wait(30):
            raise RuntimeError(f"{topic} could not be read")
        yield Reading(stop, told)
    finally:
        stop.set()
        process.join(10)
        process.kill()


class _Cause(msgspec.Struct):
    time: datetime


class _Data(msgspec.Struct):
    cause: _Cause
    waited_until: datetime | None = None


class _Effect(msgspec.Struct):
    data: _Data


_decode = msgspec.json.Decoder(_Effect).decode


def _read(
    kafka: KafkaSettings, topic: str, partitions: int, ready: Event, stop: Event, told: Any
) -> None:
    consumer = Consumer(
        {
            **reader_config(kafka, "vipcare-bench-effects"),
            "isolation.level": "read_committed",
            "fetch.min.bytes": 1,
            "fetch.wait.max.ms": 10,
            "fetch.queue.backoff.ms": 1,
        }
    )
    here = [TopicPartition(topic, number, OFFSET_END) for number in range(partitions)]
    for one in here:
        one.offset = consumer.get_watermark_offsets(one, timeout=10)[1]
    consumer.assign(here)
    consumer.poll(0.5)
    ready.set()
    seen = []
    last = time.time()
    while not stop.is_set() or time.time() < last + _SILENCE_S:
        message = consumer.poll(0.05)
        if message is None or message.error():
            continue
        at = last = time.time()
        data = _decode(message.value() or b"").data
        until = None if data.waited_until is None else data.waited_until.timestamp()
        seen.append((message.partition(), data.cause.time.timestamp(), at, until))
    told.put(seen)
    consumer.close()
