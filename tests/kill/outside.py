"""What is around the worker fails: the broker, the sink, ClickHouse; and poison comes in."""

import json
import time
from datetime import UTC, datetime, timedelta

from agents.fail_points import SINK_POINTS
from agents.faults import Fault
from streams.partitioning import partition_of
from tests.kill.keeper import wait_until
from tests.kill.workload import Message
from tests.kill.world import PARTITIONS, World


def broker_restarts(world: World) -> None:
    """Kafka killed and stopped, and started again after a while, under two workers."""
    fine = 2, Fault.KAFKA, Fault.CRASHED
    with world.workers("one", "two", fine=fine) as workers, world.flow():
        for end in (world.server.kill, world.server.stop, world.server.kill):
            wait_until(lambda: sum(w.share() for w in workers) == PARTITIONS, "all is well")
            time.sleep(world.chance.random() * 2)
            end()
            time.sleep(world.chance.random() * 8)
            world.server.start()
            world.totals.broker_restarts += 1
        workers[0].kill()
        wait_until(lambda: sum(w.share() for w in workers) == PARTITIONS, "all is well again")


def poison(world: World) -> None:
    """A megabyte of garbage, of an event, of a key: each is a dead letter, and it goes on."""
    big = "x" * 1_000_000
    customer = "C0000001"
    event = {
        "specversion": "1.0",
        "id": "poison",
        "source": "tests/kill",
        "type": "customer.updated",
        "subject": customer,
        "time": (datetime.now(UTC) - timedelta(days=1)).isoformat(),
        "data": {"attributes": {f"a{n}": big[:1_900] for n in range(200)}},
    }
    rest = 1_000_000 - len(json.dumps(event))
    values = (big, json.dumps(event), json.dumps({**event, "id": "huge", "note": big[:rest]}))
    fails = {"one": ["committed:kill@3"]}
    with world.workers("one", fails=fails) as [worker], world.flow():
        for value in values:
            _send(world, value.encode(), customer.encode())
        _send(world, b"{}", big.encode())
        wait_until(lambda: len(worker.statuses) == 1, "killed over it")


def _send(world: World, value: bytes, key: bytes) -> None:
    partition = partition_of(key, PARTITIONS)
    stored = len(value) < 512 * 1024 and b"specversion" in value
    message = Message("bank.core", key, value, partition, stored)
    world.ledger.note(message)
    world.feeder.send(message)


def sink_killed(world: World) -> None:
    """The sink killed at each of its points and in between, ClickHouse killed under it."""
    fails = [f"{point}:kill@{world.chance.randint(1, 4)}" for point in SINK_POINTS]
    with world.workers("one"), world.flow():
        for fail in fails:
            wait_until(lambda: "sink_ready" in world.sink.said(len(world.sink.statuses)), "a sink")
            begun = len(world.sink.statuses)
            world.sink.fails.append(fail)
            world.sink.process.terminate()  # the next one has it
            wait_until(lambda n=begun: len(world.sink.statuses) == n + 2, f"the end at {fail}")
            assert world.sink.statuses[begun:] == [0, -9]
            world.totals.sink_kills += 1
        world.restart_clickhouse()
        time.sleep(1)
        world.sink.kill()
        world.totals.sink_kills += 1
