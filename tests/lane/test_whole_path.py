"""From topics to effects through a real worker, held to the pure core over the journal."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_END, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.faults import Fault
from agents.kafka import producer_config
from agents.librdkafka import librdkafka_config
from agents.topics import create
from config.settings import Settings
from schemas.events import INPUT_TOPICS
from tests.kafka_server import KafkaServer
from tests.lane.events import produce_events
from tests.lane.oracle import actual, assert_reconciled
from tests.lane.process import Worker, changed, settings_for
from tests.lane.rules import with_few

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
    """One story on one Kafka (a start takes seconds): stop, join, leave, kill, an empty disk, a
    fenced worker; and then everything from the beginning against the oracle."""
    settings = settings_for(fresh_kafka.bootstrap, tmp_path / "first", transactions=True)
    run_twice(settings)
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
    a_fenced_worker_ends(settings)
    assert_reconciled(settings, 7 * EVENTS)
    settings = with_few(settings)
    a_topic_made_anew_is_refused(settings)
    nothing_to_do_is_no_reason_to_refuse_the_next_start(settings)


def a_fenced_worker_ends(settings: Settings) -> None:
    """Somebody else with the same transactional id: the worker must not write any more."""
    with Worker(settings) as worker:
        worker.wait_ready(2)
        usurper = Producer(producer_config(settings.kafka, settings.worker, 0))
        usurper.init_transactions(30)
        produce_events(settings, EVENTS, seed=7)
        assert worker.process.wait(120) == Fault.FENCED
        assert "another worker took over" in worker.log.read_text().splitlines()[-1]
    with Worker(settings) as worker:
        wait_applied(7 * EVENTS, worker)
        assert worker.stop() == 0


def a_topic_made_anew_is_refused(settings: Settings) -> None:
    admin = AdminClient(librdkafka_config(settings.kafka))
    admin.delete_topics(["bank.service"])["bank.service"].result()
    with Worker(settings) as worker:
        assert worker.process.wait(120) == 2
    assert "topic bank.service is missing" in worker.log.read_text().splitlines()[-1]
    create(settings)
    with Worker(settings) as worker:
        assert worker.process.wait(120) == Fault.POSITION
    assert "was made anew" in worker.log.read_text().splitlines()[-1]


def nothing_to_do_is_no_reason_to_refuse_the_next_start(settings: Settings) -> None:
    """A new application on topics that were trimmed, before the first event: no position yet."""
    admin = AdminClient(librdkafka_config(settings.kafka))
    numbers = range(settings.topics.partitions)
    whole = [
        TopicPartition(topic, number, OFFSET_END) for topic in INPUT_TOPICS for number in numbers
    ]
    for trimmed in admin.delete_records(whole).values():
        trimmed.result()
    data = settings.worker.data
    late_comers = [
        changed(settings, "worker", app="late-comer", data=data.with_name(f"late-{number}"))
        for number in range(3)
    ]
    create(late_comers[0])
    with Worker(late_comers[0]) as worker:
        worker.wait_ready(2)
        assert worker.stop() == 0
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(one)) for one in late_comers]
        # They join one after the other, so what each of them has settles only in the end.
        workers[0].wait_until(lambda: sorted(map(_share, workers)) == [0, 1, 1])
        assert [worker.stop() for worker in workers] == [0, 0, 0]


def _share(worker: Worker) -> int:
    """How many partitions a worker has; -1 while it is not ready, which it is without any too."""
    metrics = worker.metrics()
    return int(metrics["vipcare_partitions"]) if metrics.get("vipcare_ready") == 1 else -1
