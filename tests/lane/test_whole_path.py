"""From topics to effects through a real worker, held to the pure core over the journal."""

import shutil
from pathlib import Path

import pytest

from agents.topics import create
from config.settings import Settings
from tests.kafka_server import KafkaServer
from tests.lane.events import produce_events
from tests.lane.oracle import actual, assert_reconciled
from tests.lane.process import Worker, settings_for

EVENTS = 3_000


def wait_applied(messages: int, *workers: Worker) -> None:
    """Until the positions of all partitions together say that so many messages are committed."""
    workers[0].wait_until(
        lambda: sum(worker.total("vipcare_position") for worker in workers) == messages
    )


def run_twice(settings: Settings) -> None:
    """Half of the events, a clean stop, the other half with a new worker."""
    create(settings)
    for round_ in (1, 2):
        produce_events(settings, EVENTS, seed=round_)
        with Worker(settings) as worker:
            wait_applied(round_ * EVENTS, worker)
            assert worker.stop() == 0


@pytest.mark.broker
def test_embedded_broker_agrees_with_the_oracle(fresh_broker: str, tmp_path: Path) -> None:
    settings = settings_for(fresh_broker, tmp_path / "data", transactions=False)
    run_twice(settings)
    assert_reconciled(settings, 2 * EVENTS)
    made = actual(settings, 0)
    assert made.effects["vip.tasks"]
    assert made.effects["vip.alerts"]
    assert made.dead_letters


@pytest.mark.kafka
def test_apache_kafka_agrees_with_the_oracle_through_every_change(
    fresh_kafka: KafkaServer, tmp_path: Path
) -> None:
    """One story on one Kafka (a start takes seconds): stop, join, leave, kill, an empty disk."""
    settings = settings_for(fresh_kafka.bootstrap, tmp_path / "first", transactions=True)
    run_twice(settings)
    assert_reconciled(settings, 2 * EVENTS)

    other = settings_for(fresh_kafka.bootstrap, tmp_path / "second", transactions=True)
    with Worker(settings) as first, Worker(other) as second:
        first.wait_ready(1)
        second.wait_ready(1)
        produce_events(settings, EVENTS, seed=3)
        first.wait_until(lambda: first.total("vipcare_events_total") > 0)
        assert first.stop() == 0, "leaves while there is work"
        second.wait_ready(2)
        produce_events(settings, EVENTS, seed=4)
        first.start()
        first.wait_ready(1)
        second.wait_ready(1)
        produce_events(settings, EVENTS, seed=5)
        first.wait_until(lambda: second.total("vipcare_events_total") > 0)
        second.kill()
        first.wait_ready(2)
        first.kill()
        shutil.rmtree(settings.worker.data)
        produce_events(settings, EVENTS, seed=6)
        first.start()
        first.wait_ready(2)
        assert first.total("vipcare_restored_records_total") > 0
        wait_applied(6 * EVENTS, first)
        assert first.stop() == 0
    assert_reconciled(settings, 6 * EVENTS)
