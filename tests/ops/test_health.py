"""Health: what is seen → the state, by a table; ages; the pages; the watchdog."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from agents.health import Limits, PartitionSeen, Seen, State, judge, suspicion
from schemas.metrics import WORKER
from sinks.clickhouse import health as sink
from sinks.health import Ages, Health
from sinks.metrics import Metrics
from sinks.ops_server import OpsServer
from sinks.watchdog import Watchdog
from tests.lane.health import ask

LIMITS = Limits(stalled_after_s=100, ready_lag=1_000)
RUNNING, RESTORING = State.RUNNING, State.RESTORING


def part(
    *, stuck_s: float = 0, silent_s: float = 0, refused_s: float = 0, lag: int | None = 0
) -> PartitionSeen:
    return PartitionSeen(number=3, stuck_s=stuck_s, silent_s=silent_s, refused_s=refused_s, lag=lag)


def running(*partitions: PartitionSeen, blocked_s: float = 0) -> Seen:
    return Seen(phase=RUNNING, blocked_s=blocked_s, partitions=partitions)


@pytest.mark.parametrize(
    ("seen", "kafka_answers", "state"),
    [
        (running(), True, State.RUNNING),
        (running(part()), True, State.RUNNING),
        (running(part(lag=None)), True, State.RUNNING),
        (running(part(lag=1_000)), True, State.RUNNING),
        (running(part(lag=1_001)), True, State.BEHIND),
        (running(part(), part(lag=1_001)), True, State.BEHIND),
        # Something to do and nothing done: only for long, and only while Kafka answers.
        (running(part(stuck_s=100)), True, State.RUNNING),
        (running(part(), part(stuck_s=101)), True, State.STALLED),
        (running(part(stuck_s=101)), False, State.KAFKA_AWAY),
        # A fetch without an answer.
        (running(part(silent_s=10)), True, State.RUNNING),
        (running(part(silent_s=11)), True, State.KAFKA_AWAY),
        (running(part(silent_s=101)), False, State.KAFKA_AWAY),
        (running(part(silent_s=101)), True, State.STALLED),
        # Kafka does not take a commit, which may hold back other partitions too.
        (running(part(refused_s=9)), True, State.RUNNING),
        (running(part(refused_s=200, stuck_s=200)), True, State.KAFKA_AWAY),
        (running(part(refused_s=200), part(stuck_s=200)), True, State.KAFKA_AWAY),
        # The event loop.
        (running(part(), blocked_s=10), True, State.RUNNING),
        (running(part(), blocked_s=11), True, State.BLOCKED),
        (running(part(), blocked_s=101), False, State.STALLED),
        (Seen(phase=RESTORING, blocked_s=101), False, State.STALLED),
        # A start, a restore, a stop.
        (Seen(phase=State.STARTING), True, State.STARTING),
        (Seen(phase=State.REBALANCING, idle_s=100), True, State.REBALANCING),
        (Seen(phase=RESTORING, idle_s=100, restore_left=5), True, RESTORING),
        (Seen(phase=RESTORING, idle_s=101), True, State.STALLED),
        (Seen(phase=RESTORING, idle_s=101), False, State.KAFKA_AWAY),
        (Seen(phase=State.STOPPING, idle_s=5), True, State.STOPPING),
        (Seen(phase=State.STOPPING, idle_s=101), False, State.STALLED),
    ],
)
def test_the_state_of_a_worker(seen: Seen, kafka_answers: bool, state: State) -> None:
    verdict = judge(seen, LIMITS, kafka_answers=kafka_answers)
    assert verdict.state is state
    assert verdict.alive == (state is not State.STALLED)
    assert verdict.ready == (state is State.RUNNING)
    if state in (State.STALLED, State.KAFKA_AWAY, State.BEHIND, State.BLOCKED, RESTORING):
        assert verdict.reason
    if not suspicion(seen, LIMITS):  # then Kafka is not asked
        assert judge(seen, LIMITS, kafka_answers=not kafka_answers) == verdict


def test_lag_without_a_limit_is_no_matter() -> None:
    limits = Limits(stalled_after_s=100, ready_lag=0)
    assert judge(running(part(lag=10**9)), limits, kafka_answers=True).ready


@pytest.mark.parametrize(
    ("seen", "clickhouse_answers", "state"),
    [
        (sink.Seen(), True, sink.State.RUNNING),
        (sink.Seen(checked=False), True, sink.State.STARTING),
        (sink.Seen(joined=False), True, sink.State.STARTING),
        (sink.Seen(away="clickhouse"), True, sink.State.CLICKHOUSE_AWAY),
        (sink.Seen(away="clickhouse", stuck_s=500, quiet_s=500), True, sink.State.CLICKHOUSE_AWAY),
        (sink.Seen(away="kafka", stuck_s=500), True, sink.State.KAFKA_AWAY),
        (sink.Seen(stuck_s=101), True, sink.State.STALLED),
        (sink.Seen(joined=False, stuck_s=101), True, sink.State.STALLED),
        (sink.Seen(quiet_s=101), True, sink.State.STALLED),
        (sink.Seen(quiet_s=101), False, sink.State.CLICKHOUSE_AWAY),
        (sink.Seen(kafka_silent_s=15), True, sink.State.RUNNING),
        (sink.Seen(kafka_silent_s=16), True, sink.State.KAFKA_AWAY),
        (sink.Seen(kafka_silent_s=500, stuck_s=500), True, sink.State.KAFKA_AWAY),
    ],
)
def test_the_state_of_a_sink(seen: sink.Seen, clickhouse_answers: bool, state: sink.State) -> None:
    verdict = sink.judge(seen, 100, clickhouse_answers=clickhouse_answers)
    assert verdict.state is state
    assert verdict.alive == (state is not sink.State.STALLED)
    assert verdict.ready == (state is sink.State.RUNNING)


def test_ages_count_from_the_last_change_and_forget_what_is_not_looked_at() -> None:
    ages, told = Ages(), []
    for value in (1, 1, 2, 2, 2, None, 2):
        ages.advance(1.5)
        told.append(ages.of("a", value))
    assert told == [0, 1.5, 0, 1.5, 3, 0, 0]
    ages.advance(1)
    ages.advance(1)
    assert ages.of("a", 2) == 0


def test_the_pages_say_the_state_whatever_its_caller_does() -> None:
    told = Health("running", detail={"partitions": [{"lag": 3}]})
    with OpsServer(Metrics(WORKER), "127.0.0.1", 0) as server:
        base = server.url.removesuffix("metrics")
        assert ask(base + "healthz").status == 200
        assert ask(base + "readyz") == (
            503,
            {"state": "starting", "alive": True, "ready": False, "reason": ""},
        )
        server.health = lambda: told
        for page in ("healthz", "readyz"):
            status, body = ask(base + page)
            assert (status, body["partitions"]) == (200, [{"lag": 3}])
        server.health = lambda: Health("stalled", "why")
        assert [ask(base + page).status for page in ("healthz", "readyz")] == [503, 503]
        assert ask(base + "healthz").body["reason"] == "why"
        assert ask(base + "table").status == 404


class Dog:
    """A watchdog over looks that the test chooses; notes how it ended."""

    def __init__(self, look: Callable[[], Health], exit_after_s: float) -> None:
        self.ends: list[str] = []
        self.ended = threading.Event()
        self.watchdog = Watchdog(
            lambda _: look(), exit_after_s=exit_after_s, end=self._end, status=16, every_s=0.02
        )

    def _end(self, reason: str) -> None:  # type: ignore[misc]  # a process would end here
        self.ends.append(reason)
        self.ended.set()


def test_the_watchdog_ends_what_stays_stalled_and_spares_what_recovers() -> None:
    healthy, stalled = Health("running"), Health("stalled", "why")
    looks = iter([stalled] * 3 + [healthy] * 2)
    spared = Dog(lambda: next(looks, healthy), exit_after_s=0.5)
    with spared.watchdog:
        time.sleep(0.8)
        assert spared.watchdog.health() is healthy
    assert not spared.ends
    never = Dog(lambda: stalled, exit_after_s=0)
    with never.watchdog:
        time.sleep(0.3)
        assert not never.watchdog.health().alive
    assert not never.ends
    doomed = Dog(lambda: stalled, exit_after_s=0.2)
    with doomed.watchdog:
        assert doomed.ended.wait(5)
    assert doomed.ends[0] == "why"


def test_a_watchdog_that_cannot_look_ends_its_process() -> None:
    def fail() -> Health:
        raise ZeroDivisionError

    dog = Dog(fail, exit_after_s=0)
    with dog.watchdog:
        assert dog.ended.wait(5)
    assert "ZeroDivisionError" in dog.ends[0]


@pytest.mark.parametrize("command", ["worker", "sink"])
@pytest.mark.parametrize("after_s", [0.0, 0.3, 0.8])
def test_sigterm_before_a_process_has_begun_ends_it_in_order(command: str, after_s: float) -> None:
    """Nothing answers on its port, so that it would be refused a few seconds later."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        subprocess.Popen(
            [sys.executable, "-X", "importtime", "-m", "agents.cli.main", command],
            env={
                **os.environ,
                "VIPCARE_KAFKA__BOOTSTRAP": f"127.0.0.1:{silent.getsockname()[1]}",
            },
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stderr is not None
        for line in process.stderr:  # a library of the command: main() has begun
            if line.endswith(" structlog\n"):
                break
        time.sleep(after_s)
        process.terminate()
        process.stderr.read()
        assert process.wait(60) == 0
