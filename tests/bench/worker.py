"""The real worker as a process, measured from its first journalled chunk to its last."""

import time
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition

from agents.librdkafka import librdkafka_config
from config.settings import Settings
from schemas.position import decode_position
from tests.bench.cpu import CpuMeter
from tests.bench.figures import Figures
from tests.ops.pipeline import worker

_TIMEOUT_S = 180.0


def measure_worker(name: str, settings: Settings, events: int) -> Figures:
    """Run `vipcare worker` on inputs that are there already, until `events` are applied.

    The broker runs beside it, on the same cores.
    """
    with worker(settings) as pid, CpuMeter(pid) as meter:
        first, last = _Journal(settings).follow(events)
    return Figures(
        name=name,
        events=last.taken - first.taken,
        seconds=max(last.at - first.at, 1) / 1_000,
        cpu_seconds=meter.between(first.at, last.at),
    )


class _Moment(NamedTuple):
    taken: int
    """Messages taken so far."""
    at: int
    """Real time, epoch milliseconds: the journal entry's own timestamp."""


class _Journal:
    """Follows the journal while the worker writes it."""

    def __init__(self, settings: Settings) -> None:
        self._consumer = Consumer(
            {
                **librdkafka_config(settings.kafka),
                "group.id": "vipcare-bench",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 20,
            }
        )
        partitions = range(settings.topics.partitions)
        self._consumer.assign([TopicPartition("vip.journal", n, 0) for n in partitions])

    def follow(self, events: int) -> tuple[_Moment, _Moment]:
        """The first chunk, and the moment when so many messages were taken."""
        deadline = time.monotonic() + _TIMEOUT_S
        first = last = _Moment(*self._next(deadline))
        while last.taken < events:
            count, at = self._next(deadline)
            last = _Moment(last.taken + count, max(last.at, at))
        self._consumer.close()
        return first, last

    def _next(self, deadline: float) -> tuple[int, int]:
        """The next chunk: how many messages it took, and its Kafka timestamp."""
        while time.monotonic() < deadline:
            message = self._consumer.poll(0.1)
            if message is None:
                continue
            if message.error():
                raise RuntimeError(f"the journal cannot be read: {message.error()}")
            ranges = decode_position(message.value() or b"").ranges.values()
            return sum(taken.end - taken.start for taken in ranges), message.timestamp()[1]
        raise RuntimeError(f"the worker has not applied everything in {_TIMEOUT_S:g} s")
