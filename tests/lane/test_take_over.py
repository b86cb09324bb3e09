"""Partitions change hands on Apache Kafka: from zombies, with standbys, with static members."""

import re
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka import KafkaException, Producer

from agents.faults import Fault
from agents.kafka import producer_config
from agents.lane.store import Stores
from agents.topics import changelog, create
from config.settings import Settings
from schemas.position import POSITION_KEY
from tests.kafka_server import KafkaServer
from tests.lane.events import produce_events
from tests.lane.oracle import actual, assert_reconciled
from tests.lane.process import Worker, changed, settings_for
from tests.lane.rules import with_few

EVENTS = 2_000
RECORDS = "vipcare_restored_records_total"
SESSION_S = 6


def sibling(settings: Settings, name: str, **values: object) -> Settings:
    """Settings for another worker of the same group."""
    return changed(settings, "worker", data=settings.worker.data.with_name(name), **values)


def wait_applied(messages: int, *workers: Worker) -> None:
    workers[0].wait_until(
        lambda: sum(worker.total("vipcare_position") for worker in workers) == messages
    )


def wait_standbys(worker: Worker, count: int) -> None:
    """Until so many standbys are there and lack nothing."""

    def warm() -> bool:
        metrics = worker.metrics()
        lags = [value for name, value in metrics.items() if name.startswith("vipcare_standby_lag")]
        return metrics.get("vipcare_standby_partitions") == count and lags == [0.0] * count

    worker.wait_until(warm)


def seconds_until_ready(worker: Worker, partitions: int) -> float:
    begun = time.monotonic()
    worker.wait_ready(partitions)
    return time.monotonic() - begun


@pytest.mark.kafka
def test_a_zombies_open_transaction_is_aborted_and_not_restored(
    fresh_kafka: KafkaServer, tmp_path: Path
) -> None:
    settings = with_few(settings_for(fresh_kafka.bootstrap, tmp_path / "first", transactions=True))
    create(settings)
    produce_events(settings, EVENTS)
    with Worker(settings) as worker:
        wait_applied(EVENTS, worker)
        assert worker.stop() == 0

    zombie = Producer(producer_config(settings.kafka, settings.worker, 0))
    zombie.init_transactions(30)
    zombie.begin_transaction()
    log = changelog(settings.worker.app)
    for topic, key in ((log, b"GHOST"), (log, POSITION_KEY), ("vip.tasks", b"GHOST")):
        zombie.produce(topic, b"never committed", key, partition=0)
    assert zombie.flush(30) == 0, "written, so a reader of everything would see it"

    heir = sibling(settings, "second")
    with Worker(heir) as worker:
        worker.wait_ready(2)
        produce_events(settings, EVENTS, seed=2)
        wait_applied(2 * EVENTS, worker)
        with pytest.raises(KafkaException, match="fenced"):
            zombie.commit_transaction(30)
        assert worker.stop() == 0
    assert Stores(heir.worker.data).open(0).get(b"GHOST") is None
    assert "GHOST" not in actual(settings, 0).records
    assert_reconciled(settings, 2 * EVENTS)


@pytest.mark.kafka
def test_a_survivor_has_warm_copies_and_nothing_piles_up_in_ten_rebalances(
    fresh_kafka: KafkaServer, tmp_path: Path
) -> None:
    settings = with_few(settings_for(fresh_kafka.bootstrap, tmp_path / "first", transactions=True))
    other = sibling(settings, "second")
    create(settings)
    produce_events(settings, EVENTS, customers=1_000)
    with Worker(settings) as survivor, Worker(other) as mortal:
        survivor.wait_ready(1)
        mortal.wait_ready(1)
        wait_applied(EVENTS, survivor, mortal)
        wait_standbys(survivor, 1)
        before = survivor.total(RECORDS)
        mortal.kill()
        assert seconds_until_ready(survivor, 2) < SESSION_S + 6, "about one on an idle machine"
        assert survivor.total(RECORDS) - before < 20, "no more than the last chunk"
        assert survivor.total("vipcare_standby_partitions") == 0

        sizes = []
        for round_ in range(5):
            mortal.start().wait_ready(1)
            survivor.wait_ready(1)
            produce_events(settings, 100, seed=round_ + 2)
            wait_applied(EVENTS + 100 * (round_ + 1), survivor, mortal)
            assert mortal.stop() == 0
            survivor.wait_ready(2)
            sizes.append(_size(survivor))
        assert sizes[-1] <= sizes[0] + 4, "threads and open files"
        assert survivor.total(RECORDS) - before < 200, "active and standby in turn, always warm"
        assert survivor.stop() == 0
    assert_reconciled(settings, EVENTS + 500)


def _size(worker: Worker) -> int:
    process = Path(f"/proc/{worker.process.pid}")
    return len(list((process / "task").iterdir())) + len(list((process / "fd").iterdir()))


@pytest.mark.kafka
def test_a_static_member_that_comes_back_moves_nothing_and_a_second_of_its_name_ends_the_first(
    fresh_kafka: KafkaServer, tmp_path: Path
) -> None:
    settings = with_few(settings_for(fresh_kafka.bootstrap, tmp_path / "first", transactions=True))
    settings = changed(settings, "worker", instance="worker-a", session_timeout_s=25)
    other = sibling(settings, "second", instance="worker-b")
    create(settings)
    with ExitStack() as stack:
        first, second = (stack.enter_context(Worker(one)) for one in (settings, other))
        first.wait_until(lambda: _partitions(first) == _partitions(second) == 1)
        produce_events(settings, EVENTS)
        wait_applied(EVENTS, first, second)
        starts, mine = _starts(first), _mine(second)

        second.kill()
        second.start().wait_ready(1)
        produce_events(settings, EVENTS, seed=2)
        wait_applied(2 * EVENTS, first, second)
        assert _mine(second) == mine
        assert second.stop() == 0
        second.start().wait_ready(1)
        produce_events(settings, EVENTS, seed=3)
        wait_applied(3 * EVENTS, first, second)
        assert _mine(second) == mine
        assert _starts(first) == starts, "no rebalance here"

        twin = stack.enter_context(Worker(sibling(other, "third")))
        assert second.process.wait(120) == Fault.FENCED
        last = second.log.read_text().splitlines()[-1]
        assert "another one has its name (worker-b)" in last or "another worker took over" in last
        twin.wait_ready(1)
        produce_events(settings, EVENTS, seed=4)
        wait_applied(4 * EVENTS, first, twin)
        assert _starts(first) == starts
        assert [worker.stop() for worker in (first, twin)] == [0, 0]
    assert_reconciled(settings, 4 * EVENTS)


def _partitions(worker: Worker) -> int:
    metrics = worker.metrics()
    return int(metrics["vipcare_partitions"]) if metrics.get("vipcare_ready") == 1 else -1


def _starts(worker: Worker) -> int:
    """How often a worker took partitions over."""
    return len(re.findall('"worker_ready"', worker.log.read_text()))


def _mine(worker: Worker) -> set[str]:
    return {name for name in worker.metrics() if name.startswith("vipcare_position{")}
