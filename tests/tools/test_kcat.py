"""kcat, as a CRM may use it on tasks that a worker made, and an operator to send events.

On Apache Kafka only: Debian's kcat does not understand the embedded broker ("ApiVersionRequest
failed: Read underflow").
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from agents.topics import create
from config.settings import Settings
from schemas.events import INPUT_TOPICS
from streams.partitioning import partition_of
from tests.kafka_server import KafkaServer
from tests.lane.events import make_events, produce_events
from tests.lane.oracle import Pair, actual
from tests.lane.process import Worker, settings_for

EVENTS = 1_500


def kcat(settings: Settings, *arguments: str, given: bytes = b"") -> bytes:
    """What a run of kcat writes."""
    command = ["kcat", "-b", settings.kafka.bootstrap, "-q", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(settings: Settings, topic: str, partition: int) -> list[Pair]:
    """A partition from its start to its end, keys and values."""
    where = ("-C", "-t", topic, "-p", str(partition), "-o", "beginning", "-e")
    lines = kcat(settings, *where, "-X", "isolation.level=read_committed", "-f", "%k\t%s\n")
    pairs = [line.split(b"\t", 1) for line in lines.splitlines()]
    return [(key, value) for key, value in pairs]


def made_by_a_worker(settings: Settings) -> None:
    """Events, and everything that a worker makes of them."""
    create(settings)
    produce_events(settings, EVENTS)
    with Worker(settings) as worker:
        worker.wait_until(lambda: worker.total("vipcare_position") == EVENTS)
        assert worker.stop() == 0


def assert_reads_what_was_made(settings: Settings) -> None:
    """Every partition of two topics; and there is something to read."""
    made = [actual(settings, number) for number in range(settings.topics.partitions)]
    assert sum(len(one.effects["vip.tasks"]) for one in made)
    for number, one in enumerate(made):
        for topic in ("vip.tasks", "vip.profiles"):
            assert read(settings, topic, number) == one.effects[topic]
            assert all(
                partition_of(key, len(made)) == number for key, _ in one.effects[topic] if key
            )


@pytest.mark.tool("kcat")
@pytest.mark.kafka
def test_kcat_on_apache_kafka(fresh_kafka: KafkaServer, tmp_path: Path) -> None:
    settings = settings_for(fresh_kafka.bootstrap, tmp_path / "data", transactions=True)
    made_by_a_worker(settings)
    assert_reads_what_was_made(settings)
    listed = kcat(settings, "-L").decode()
    assert all(f'topic "{topic}" with 2 partitions' in listed for topic in INPUT_TOPICS)


@pytest.mark.tool("kcat")
@pytest.mark.kafka
def test_events_that_kcat_sends_with_the_right_partitioner_are_applied(
    fresh_kafka: KafkaServer, tmp_path: Path
) -> None:
    """kcat's own choice of partitions is another one: those events would be dead letters."""
    settings = settings_for(fresh_kafka.bootstrap, tmp_path / "data", transactions=True)
    create(settings)
    events = [made for made in make_events(300) if made.topic == "bank.core"]
    lines = b"".join(b"%s\t%s\n" % (made.key, made.value) for made in events)
    send = ("-P", "-t", "bank.core", "-K", "\t", "-X", "topic.partitioner=murmur2_random")
    kcat(settings, *send, given=lines)
    with Worker(settings) as worker:
        worker.wait_until(lambda: worker.total("vipcare_position") == len(events))
        assert worker.stop() == 0
    made = [actual(settings, number) for number in range(settings.topics.partitions)]
    reasons = [dict(headers)["vipcare-reason"] for one in made for _, headers in one.dead_letters]
    assert b"wrong_key" not in reasons
    assert sum(len(one.records) for one in made) > 10
