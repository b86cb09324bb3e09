"""The real worker and sink as processes, and waiting until it has applied everything."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from agents.reading import read_partition
from config.settings import KafkaSettings, LogSettings, Settings, TopicSettings, WorkerSettings
from schemas.events import INPUT_TOPICS
from schemas.position import decode_position


def settings_for(bootstrap: str, folder: Path, *, transactions: bool) -> Settings:
    return Settings(
        kafka=KafkaSettings(bootstrap=bootstrap, transactions=transactions),
        topics=TopicSettings(partitions=2),
        worker=WorkerSettings(data=folder / "worker"),
        log=LogSettings(level="warning"),
    )


def environment(settings: Settings) -> dict[str, str]:
    """The settings that a test changes, for a process."""
    return {
        **os.environ,
        "VIPCARE_KAFKA__BOOTSTRAP": settings.kafka.bootstrap,
        "VIPCARE_KAFKA__TRANSACTIONS": str(settings.kafka.transactions),
        "VIPCARE_TOPICS__PARTITIONS": str(settings.topics.partitions),
        "VIPCARE_WORKER__DATA": str(settings.worker.data),
        "VIPCARE_CLICKHOUSE__PORT": str(settings.clickhouse.port),
        "VIPCARE_LOG__LEVEL": settings.log.level,
    }


def worker(settings: Settings) -> AbstractContextManager[int]:
    """A worker until the block ends; gives its process id."""
    return _running("worker", settings)


def sink(settings: Settings) -> AbstractContextManager[int]:
    """A sink until the block ends; gives its process id."""
    return _running("sink", settings)


@contextmanager
def _running(command: str, settings: Settings) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "agents.cli.main", command], env=environment(settings)
    )
    try:
        yield process.pid
        assert process.poll() is None, f"the {command} ended by itself with {process.returncode}"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_applied(settings: Settings, timeout_s: float = 120.0) -> None:
    """Until the journal's last positions are at the ends of the inputs."""
    deadline = time.monotonic() + timeout_s
    while not all(_applied(settings, n) for n in range(settings.topics.partitions)):
        assert time.monotonic() < deadline, f"not everything is applied after {timeout_s:g} s"
        time.sleep(0.3)


def _applied(settings: Settings, partition: int) -> bool:
    ends: dict[str, int] = {}
    for found in read_partition(settings.kafka, "vip.journal", partition):
        ends = decode_position(found.value or b"").ends()
    return all(ends.get(topic, 0) >= _last(settings, topic, partition) for topic in INPUT_TOPICS)


def _last(settings: Settings, topic: str, partition: int) -> int:
    """The offset after the last message of an input."""
    last = -1
    for found in read_partition(settings.kafka, topic, partition):
        last = found.offset
    return last + 1
