"""What is done to topics and disks under a running worker is refused or mended, never silent."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]  # public, the stub omits it

from agents.faults import Fault
from agents.topics import changelog, create
from config.settings import Settings
from tests.kafka_server import KafkaServer
from tests.lane.events import produce_events
from tests.lane.oracle import actual, assert_reconciled
from tests.lane.process import Worker, settings_for
from tests.lane.rules import with_few

EVENTS = 1_000
pytestmark = pytest.mark.kafka


@pytest.fixture
def settings(fresh_kafka: KafkaServer, tmp_path: Path) -> Settings:
    """Those of a deployment whose worker has applied EVENTS once it is told to start."""
    plain = settings_for(fresh_kafka.bootstrap, tmp_path / "worker", transactions=True)
    made = with_few(plain)
    create(made)
    produce_events(made, EVENTS, customers=500)
    return made


def applied(worker: Worker, count: int = EVENTS) -> None:
    worker.wait_until(lambda: worker.total("vipcare_position") == count)


def remove_unread(settings: Settings) -> None:
    """What retention does to a worker that is far behind."""
    consumer = Consumer({"bootstrap.servers": settings.kafka.bootstrap, "group.id": "anybody"})
    ends = [TopicPartition("bank.core", number) for number in range(settings.topics.partitions)]
    for one in ends:
        one.offset = consumer.get_watermark_offsets(one)[1] - 10
    consumer.close()
    admin = AdminClient({"bootstrap.servers": settings.kafka.bootstrap})
    for done in admin.delete_records(ends).values():
        done.result()


def test_messages_that_are_removed_unread_end_a_running_worker(settings: Settings) -> None:
    with Worker(settings) as worker:
        applied(worker)
        os.kill(worker.process.pid, signal.SIGSTOP)
        produce_events(settings, EVENTS, seed=2, customers=500)
        remove_unread(settings)
        os.kill(worker.process.pid, signal.SIGCONT)
        assert worker.process.wait(60) == Fault.POSITION
        assert "messages were removed unread" in worker.log.read_text()
        worker.start()
        assert worker.process.wait(60) == Fault.POSITION
        assert "messages were removed unread. Restore them" in worker.log.read_text()


def test_a_changelog_that_is_made_anew_ends_a_running_worker_and_every_later_one(
    settings: Settings,
) -> None:
    topic = changelog(settings.worker.app)
    with Worker(settings) as worker:
        applied(worker)
        records = sum(len(actual(settings, number).records) for number in (0, 1))
        admin = AdminClient({"bootstrap.servers": settings.kafka.bootstrap})
        admin.delete_topics([topic])[topic].result()
        time.sleep(1)
        create(settings)
        produce_events(settings, 100, seed=2, customers=500)
        assert worker.process.wait(60) == Fault.POSITION
        assert f"topic {topic} was made anew" in worker.log.read_text()
        worker.start()
        assert worker.process.wait(60) == Fault.POSITION
        told = worker.log.read_text()
        assert "the changelog was made anew while a worker ran" in told
        assert "local_store_set_aside" in told
        kept = settings.worker.data.glob("*.other-changelog/*.sst")
        assert records > 100
        assert list(kept) or list(settings.worker.data.glob("*.other-changelog/*.log"))


def test_partitions_that_are_added_end_a_running_worker(settings: Settings) -> None:
    with Worker(settings) as worker:
        applied(worker)
        admin = AdminClient({"bootstrap.servers": settings.kafka.bootstrap})
        admin.create_partitions([NewPartitions("bank.core", 4)])["bank.core"].result()
        assert worker.process.wait(60) == Fault.POSITION
        assert "topic bank.core has 4 partitions, not 2" in worker.log.read_text()
        worker.start()
        assert worker.process.wait(60) == 2


def test_the_copy_of_another_partition_is_no_copy(settings: Settings) -> None:
    data = settings.worker.data
    with Worker(settings) as worker:
        applied(worker)
        assert worker.stop() == 0
    for number in (0, 1):
        (data / f"customers-{number}").rename(data / f"was-{number}")
    for number in (0, 1):
        (data / f"was-{number}").rename(data / f"customers-{1 - number}")
    with Worker(settings) as worker:
        worker.wait_ready(2)
        produce_events(settings, EVENTS, seed=2, customers=500)
        applied(worker, 2 * EVENTS)
        assert worker.stop() == 0
    assert_reconciled(settings, 2 * EVENTS)
    assert "local_store_wiped" in worker.log.read_text()


def test_a_stop_ends_without_a_disk(settings: Settings) -> None:
    with Worker(settings) as worker:
        applied(worker)
        shutil.rmtree(settings.worker.data)
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(120) == 0
