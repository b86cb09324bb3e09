"""A worker on Apache Kafka that stalls, is blocked, idles, or loses Kafka."""

import json
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from agents.faults import Fault
from agents.topics import create
from config.settings import Settings
from tests.kafka_server import KafkaServer
from tests.lane.events import produce_events
from tests.lane.health import health, impatient
from tests.lane.oracle import assert_reconciled
from tests.lane.process import Worker, changed, settings_for
from tests.lane.rules import with_few

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
EVENTS = 1_000


@pytest.fixture
def settings(fresh_kafka: KafkaServer, tmp_path: Path) -> Settings:
    plain = settings_for(fresh_kafka.bootstrap, tmp_path / "data", transactions=True)
    made = with_few(impatient(plain))
    create(made)
    return made


def lines(worker: Worker, event: str) -> Iterator[dict[str, Any]]:
    for line in worker.log.read_text().splitlines():
        if line.startswith("{") and json.loads(line)["event"] == event:
            yield json.loads(line)


@pytest.mark.parametrize(
    ("point", "reason", "place"),
    [
        # A chunk whose commit is never asked for: on the outbox's thread.
        ("before-commit:stall@3", "its position has not moved", "_send"),
        # The event loop itself stands still, with Faust, the runners and the heartbeats.
        ("chunk-stepped:stall@3", "the event loop is blocked", "_step"),
        # No partition was ever read.
        ("restored:stall", "no progress while restoring", "_restore"),
    ],
)
def test_a_stalled_worker_says_why_ends_itself_and_its_successor_goes_on(
    settings: Settings, point: str, reason: str, place: str
) -> None:
    worker = Worker(settings)
    produce_events(settings, EVENTS)
    if point.startswith("restored"):
        with worker:
            worker.wait_until(lambda: worker.total("vipcare_position") == EVENTS)
            assert worker.stop() == 0
        shutil.rmtree(settings.worker.data)
    worker.fail = point
    with worker:
        worker.wait_until(lambda: health(worker).status == 503)
        # On a busy machine a loop may be blocked for a little less long than its partition stands.
        worker.wait_until(lambda: reason in health(worker).body.get("reason", ""))
        assert health(worker).state == "stalled"
        assert health(worker, "readyz").status == 503
        assert worker.metrics()["vipcare_stalled"] == 1
        assert worker.process.wait(120) == Fault.STALLED
    stacks = [frame for line in lines(worker, "stack") for frame in line["frames"]]
    assert any(frame.endswith(f" {place}") for frame in stacks), stacks
    assert "starting again is safe" in worker.log.read_text().splitlines()[-1]

    worker.fail = ""
    with worker:
        worker.wait_until(lambda: worker.total("vipcare_position") == EVENTS)
        worker.wait_until(lambda: health(worker, "readyz").status == 200)
        assert worker.stop() == 0
    assert_reconciled(settings, EVENTS)


def test_idle_workers_stay_well_with_partitions_and_without(settings: Settings) -> None:
    """Three workers for two partitions; long after the last event, all three are ready."""
    data = settings.worker.data
    # A busy machine may keep a worker waiting for seconds; none shall lose its place for that.
    settings = changed(settings, "worker", session_timeout_s=10)
    with ExitStack() as stack:
        workers = [
            stack.enter_context(Worker(changed(settings, "worker", data=data.with_name(name))))
            for name in ("one", "two", "three")
        ]
        workers[0].wait_until(
            lambda: (
                sorted(one.metrics().get("vipcare_partitions", -1) for one in workers) == [0, 1, 1]
            )
        )
        produce_events(settings, EVENTS)
        for number in (signal.SIGUSR1, signal.SIGUSR2):  # which are Faust's, to debug
            workers[0].process.send_signal(number)
        until = time.monotonic() + 3 * settings.worker.stalled_after_s
        workers[0].wait_until(lambda: all(health(one, "readyz").status == 200 for one in workers))
        while time.monotonic() < until:
            assert [health(one).status for one in workers] == [200, 200, 200]
            assert [health(one, "readyz").state for one in workers] == ["running"] * 3
            time.sleep(0.5)
        assert {part["stuck_s"] for one in workers for part in health(one).body["partitions"]} == {
            0
        }
        assert [one.stop() for one in workers] == [0, 0, 0]
        assert [*lines(workers[0], "stack")], "where its threads were is told"
        assert "Starting debugger" not in workers[0].log.read_text()
        assert "LOCAL VARIABLES" not in workers[0].log.read_text()


def test_kafka_away_is_no_stall(settings: Settings, fresh_kafka: KafkaServer) -> None:
    with Worker(settings) as worker:
        produce_events(settings, EVENTS)
        worker.wait_until(lambda: worker.total("vipcare_position") == EVENTS)
        worker.wait_until(lambda: health(worker, "readyz").status == 200)
        fresh_kafka.kill()
        until = time.monotonic() + 3 * settings.worker.stalled_after_s
        worker.wait_until(lambda: health(worker, "readyz").state == "kafka_away")
        while time.monotonic() < until:
            assert health(worker).status == 200, worker.log.read_text()[-3000:]
            assert health(worker, "readyz").status == 503
            time.sleep(0.5)
        fresh_kafka.start()
        worker.wait_until(lambda: health(worker, "readyz").status == 200)
        produce_events(settings, EVENTS, seed=2)
        worker.wait_until(lambda: worker.total("vipcare_position") == 2 * EVENTS)
        assert worker.stop() == 0
    assert_reconciled(settings, 2 * EVENTS)
