"""`vipcare sink` as a process of its own, beside a local ClickHouse, and what its /metrics says."""

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, ConsumerGroupState, TopicPartition
from confluent_kafka.admin import AdminClient  # type: ignore[attr-defined]  # public, the stub omits it

from agents.librdkafka import librdkafka_config, reader_config
from config.settings import Settings
from sinks.clickhouse.address import Address
from tests.bench.process import end
from tests.sink.server import Server

_PATIENCE_S = 60.0


@contextmanager
def clickhouse() -> Iterator[Address]:
    """A local ClickHouse, empty; its address names a database that is not there yet."""
    with tempfile.TemporaryDirectory(prefix="vipcare-bench-") as made:
        server = Server(Path(made))
        try:
            yield Address(host="127.0.0.1", port=server.port, database="bench")
        finally:
            server.stop()


@contextmanager
def group_places(
    settings: Settings, group: str, topics: Sequence[str]
) -> Iterator[Callable[[], int]]:
    """Gives a function: how many messages of these topics the group has committed."""
    consumer = Consumer(reader_config(settings.kafka, group))
    listed = consumer.list_topics(timeout=20).topics
    places = [TopicPartition(topic, n) for topic in topics for n in listed[topic].partitions]
    try:
        yield lambda: sum(max(one.offset, 0) for one in consumer.committed(places, timeout=20))
    finally:
        consumer.close()


def await_members(settings: Settings, group: str, members: int) -> None:
    """Until so many share a group's partitions."""
    admin = AdminClient(librdkafka_config(settings.kafka))
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        found = admin.describe_consumer_groups([group], request_timeout=20)[group].result()
        if found.state == ConsumerGroupState.STABLE and len(found.members) == members:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(found.members)} of {members} sinks are in {group}")
        time.sleep(0.1)


class SinkProcess:
    """Runs while the block is open. `variables` are settings beyond where things are."""

    def __init__(self, settings: Settings, address: Address, **variables: object) -> None:
        self._environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("VIPCARE_")},
            "VIPCARE_KAFKA__BOOTSTRAP": settings.kafka.bootstrap,
            "VIPCARE_TOPICS__PARTITIONS": str(settings.topics.partitions),
            "VIPCARE_CLICKHOUSE__PORT": str(address.port),
            "VIPCARE_CLICKHOUSE__DATABASE": address.database,
            **{f"VIPCARE_SINK__{name}".upper(): str(value) for name, value in variables.items()},
        }

    def __enter__(self) -> Self:
        self._log = tempfile.TemporaryFile(mode="w+")  # closed in __exit__
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agents.cli.main", "sink"],
            env=self._environment,
            stderr=self._log,
        )
        self.wait_until(lambda: bool(self._told()), "its metrics")
        self._url = self._told()[-1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        end(self.process)
        self._log.close()

    def metrics(self) -> Mapping[str, float]:
        """Sample name with its labels → value."""
        page = urllib.request.urlopen(self._url, timeout=5).read().decode()
        found = re.findall(r"^(\w+(?:\{[^}]*\})?) (\S+)$", page, re.MULTILINE)
        return {name: float(value) for name, value in found}

    def total(self, name: str) -> float:
        """The sum over all labels of a metric."""
        return sum(
            value for sample, value in self.metrics().items() if sample.partition("{")[0] == name
        )

    def wait_until(
        self, holds: Callable[[], bool], what: str, seconds: float = _PATIENCE_S
    ) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"the sink: no {what} in {seconds:g} s:\n{self._said()[-2_000:]}"
                )
            time.sleep(0.05)

    def _told(self) -> list[str]:
        return re.findall(r'"metrics": "(http[^"]+)"', self._said())

    def _said(self) -> str:
        descriptor = self._log.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode()
