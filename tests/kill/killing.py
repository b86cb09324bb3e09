"""Workers that are killed: at random moments, at every fail point, several at once."""

import time
from itertools import cycle
from typing import get_args

from agents.fail_points import WORKER_POINTS, ChunkPoint, RevokePoint
from agents.faults import Fault
from tests.kill.keeper import WAIT_S, Kept, comes_about, wait_until
from tests.kill.world import PARTITIONS, World

RARE = frozenset(("copy-wiping",))
"""Points that no ordinary run reaches; `disks.useless_copy` does."""

_QUIET_S = 10.0
_PATIENCE_S = 20.0


def random_moments(world: World, kills: int = 20) -> None:
    """One worker, killed with -9 whatever it is doing: stepping, committing, restoring, joining."""
    with world.workers("one") as [worker], world.flow() as flow:
        for number in range(kills):
            if world.chance.random() < 0.7:
                wait_until(lambda: worker.share() == PARTITIONS, "the worker has all partitions")
            if number % 5 == 0:
                flow.burst(2_000)  # the next ones die with a backlog
            time.sleep(world.chance.random() * 1.5)
            worker.kill()
            worker.wait_ended(number)


def every_fail_point(world: World) -> None:
    """Two workers, each killed at one named point after the other, so that both die by turns."""
    _at_points(world, "kill", [point for point in WORKER_POINTS if point not in RARE], -9)


def raised_anywhere(world: World) -> None:
    """An error that nobody expected ends the process wherever it is raised; none stands still."""
    points = [point for point in WORKER_POINTS if point not in RARE]
    _at_points(world, "raise", points, Fault.STORE, Fault.CRASHED, Fault.KAFKA)


def _at_points(world: World, action: str, points: list[str], *ends: int) -> None:
    world.chance.shuffle(points)
    # Partitions are revoked as the other worker dies: while it still has many deaths ahead.
    points.sort(key=lambda point: point not in get_args(RevokePoint))
    fails: dict[str, list[str]] = {"one": [], "two": []}
    for name, point in zip(cycle(fails), points, strict=False):
        number = world.chance.randint(1, 30) if point in get_args(ChunkPoint) else 1
        fails[name].append(f"{point}:{action}@{number}")
    with world.workers("one", "two", fails=fails, fine=ends) as workers, world.flow():
        _wait_through(workers, len(points))
        wait_until(lambda: _at_work(workers), "two workers that nothing kills")


def _wait_through(workers: list[Kept], count: int) -> None:
    """Until so many fail points were reached, and acted."""
    reached, since, helped = 0, time.monotonic(), 0.0
    while (now := sum(worker.told("fail_point") for worker in workers)) < count:
        if now > reached:
            reached, since = now, time.monotonic()
        assert time.monotonic() - since < WAIT_S, f"{now} of {count} fail points were reached"
        if time.monotonic() - max(since, helped) > _QUIET_S and _stuck(workers):
            # What comes of the death is seen here: they go on dying, and a wait for both to live
            # might not end.
            workers[0].again()
            helped = time.monotonic()
        time.sleep(0.1)


def _stuck(workers: list[Kept]) -> bool:
    """Both are at work, and a point is reached by a rebalance alone; a death begins one.

    The points of a chunk come by themselves, but a worker that dies counts its chunks anew.
    """
    points = {worker.point for worker in workers} - {"", *get_args(ChunkPoint)}
    return bool(points) and _at_work(workers)


def _at_work(workers: list[Kept]) -> bool:
    return min(worker.share() for worker in workers) >= 0


def several_at_once(world: World) -> None:
    """Three workers: one killed, one as it takes over, the same one twice, and all at once."""
    with world.workers("one", "two", "three") as workers, world.flow():
        for _ in range(2):
            first, second, _ = world.chance.sample(workers, 3)
            _wait_settled(workers)
            first.kill()
            wait_until(lambda w=second: w.share() < 0, "another one takes over")
            second.kill()
            _wait_settled(workers)
            first.kill()
            time.sleep(world.chance.random())
            first.kill()
            _wait_settled(workers)
            for worker in workers:
                worker.kill()


def clean_stops(world: World) -> None:
    """Workers that leave in order while there is work, one after the other, and come back."""
    with world.flow():
        for names in (("one", "two"), ("two", "three", "one")):
            with world.workers(*names) as workers:
                _wait_settled(workers)
                time.sleep(world.chance.random())
                for worker in workers[1:]:
                    worker.process.terminate()
                    assert worker.wait_ended(0) == 0


def stalls(world: World) -> None:
    """Threads that stand still for longer than a transaction, a session or a rebalance may last."""
    fails = {
        "one": ["before-commit:stall=13@5", "chunk-stepped:stall=5@9"],
        "two": ["draining:stall=18", "committed:stall=6@7"],
    }
    ends = Fault.FENCED, Fault.CRASHED, Fault.KAFKA
    with world.workers("one", "two", fails=fails, fine=ends) as workers, world.flow():
        for round_ in (1, 2):
            for worker, other in (workers, workers[::-1]):
                _wait_stalled(worker, round_, other)
                time.sleep(world.chance.random() * 5)
                # One that ended meanwhile has begun anew, with the stall of the next round.
                if len(worker.statuses) < round_:
                    worker.kill()
        _wait_settled(workers)


def _wait_stalled(worker: Kept, number: int, other: Kept) -> None:
    """Until a worker has stalled so many times. Where that needs a rebalance and none comes by
    itself, because both were in the group before the first chunk, the other's death brings one."""

    def stalled() -> bool:
        return worker.told("fail_point") >= number

    for _ in range(3):
        if comes_about(stalled, _PATIENCE_S):
            return
        _wait_settled([worker, other])
        other.kill()
    wait_until(stalled, "a stall")


def _wait_settled(workers: list[Kept]) -> None:
    wait_until(
        lambda: _at_work(workers) and sum(w.share() for w in workers) == 4,
        "the partitions are shared out",
    )
