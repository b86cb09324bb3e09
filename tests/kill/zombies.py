"""Owners that are frozen until their partitions have moved, and then go on."""

import time

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from agents.faults import Fault
from agents.librdkafka import librdkafka_config
from agents.topics import changelog
from config.settings import Settings
from tests.kill.keeper import Kept, wait_until
from tests.kill.world import PARTITIONS, World

POINTS = ("chunk-taken", "chunk-stepped", "before-commit", "committed")


def at_points(world: World) -> None:
    """Frozen within a chunk: each must end itself, fenced, and nothing of it is to be seen."""
    for point in POINTS:
        fails = {"one": [f"{point}:stop@{world.chance.randint(3, 30)}"]}
        with world.workers("one", fails=fails) as [zombie], world.flow():
            wait_until(zombie.frozen, f"the first worker stands still at {point}")
            _succeed(world, zombie)


def with_an_open_transaction(world: World) -> None:
    """What the zombie sent stands in the changelog, neither committed nor aborted, as its
    successor takes over: that must abort it and restore past it."""
    fails = {"one": ["before-commit:stall=4@9"]}  # one transaction stays open for a while
    with world.workers("one", fails=fails) as [zombie], world.flow():
        wait_until(lambda: zombie.told("fail_point") == 1, "the first worker keeps its commit back")
        wait_until(
            lambda: _frozen_with_one(world, zombie), "it is frozen, with an open transaction"
        )
        _succeed(world, zombie)


def _frozen_with_one(world: World, zombie: Kept) -> bool:
    """Frozen, it is looked at; what it produced may not be in Kafka yet, and then it goes on.

    How long that takes is up to the machine, so it is asked of Kafka and not waited for.
    """
    zombie.freeze()
    wait_until(zombie.frozen, "it stands still")
    if _open_transactions(world.settings):
        return True
    zombie.thaw()
    return False


def at_random_moments(world: World) -> None:
    """Frozen from outside, whatever it is doing; with nothing under way it may join again."""
    with world.workers("one", "two") as workers, world.flow():
        for _ in range(3):
            wait_until(
                lambda: sorted(w.share() for w in workers) == [2, 2], "both have their share"
            )
            zombie, successor = world.chance.sample(workers, 2)
            incarnation = zombie.freeze()
            wait_until(lambda w=successor: w.share() == PARTITIONS, "the other one took over")
            time.sleep(world.chance.random())
            before = zombie.said(incarnation).count("worker_ready")
            zombie.thaw()
            wait_until(
                lambda z=zombie, n=incarnation, m=before: (
                    len(z.statuses) > n or z.said(n).count("worker_ready") > m
                ),
                "the zombie ended, or joined again",
            )
            world.totals.zombies += zombie.statuses[incarnation:][:1] == [Fault.FENCED]


def _succeed(world: World, zombie: Kept) -> None:
    with world.workers("two") as [successor]:
        wait_until(lambda: successor.share() == PARTITIONS, "the successor has all partitions")
        time.sleep(1 + world.chance.random())
        zombie.thaw()
        status = zombie.wait_ended(0)
        assert status == Fault.FENCED, f"ended with {status}\n{zombie.said(0)[-2_000:]}"
        world.totals.zombies += 1
        wait_until(lambda: sorted((zombie.share(), successor.share())) == [2, 2], "both share")


def _open_transactions(settings: Settings) -> bool:
    """Whether committed readers of the changelog are held back."""
    topic = changelog(settings.worker.app)
    places = {TopicPartition(topic, number): OffsetSpec.latest() for number in range(PARTITIONS)}
    admin = AdminClient({**librdkafka_config(settings.kafka), "log_level": 0})
    ends = []
    for level in (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED):
        asked = admin.list_offsets(places, isolation_level=level, request_timeout=10)
        ends.append({place.partition: one.result().offset for place, one in asked.items()})
    return ends[0] != ends[1]
