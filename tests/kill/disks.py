"""Local disks that are emptied, put back from an old copy, or of no use."""

import shutil
import time
from pathlib import Path

from agents.faults import Fault
from agents.lane.store import Stores
from tests.kill.keeper import wait_until
from tests.kill.world import PARTITIONS, World


def emptied(world: World) -> None:
    """Gone while the worker was down, gone under its feet, and killed as it restores."""
    fails = {"one": ["", "restoring:kill@2", "restored:kill@3", "copies-checked:kill"]}
    with world.workers("one", fails=fails, fine=[Fault.STORE]) as [worker], world.flow() as flow:
        wait_until(lambda: worker.share() == PARTITIONS, "the worker has all partitions")
        flow.burst(3_000)
        time.sleep(2)
        with worker.down():
            shutil.rmtree(world.data("one"))
        wait_until(lambda: worker.told("fail_point") == 3, "killed three times as it restores")
        wait_until(lambda: worker.share() == PARTITIONS, "restored")
        wait_until(lambda: _is_removed(world.data("one")), "nothing is left on the disk")
        flow.burst(3_000)
        time.sleep(3)
        worker.kill()


def _is_removed(folder: Path) -> bool:
    """A worker that runs may make a file while the others go."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def old_copy(world: World) -> None:
    """The disk as it was some time ago, as from a backup; partitions had moved in between."""
    backup = world.folder / "backup"
    with world.flow() as flow:
        with world.workers("one") as [worker]:
            wait_until(lambda: worker.share() == PARTITIONS, "the worker has all partitions")
            time.sleep(1)
            with worker.down():
                _copy(world.data("one"), backup)
            flow.burst(2_000)
        with world.workers("two"):
            flow.burst(2_000)
        with world.workers("one") as [worker]:
            wait_until(lambda: worker.share() == PARTITIONS, "the worker has all partitions")
            with worker.down():
                _copy(backup, world.data("one"))
            wait_until(lambda: worker.share() == PARTITIONS, "restored from the old copy")


def useless_copy(world: World) -> None:
    """A copy that goes further than the changelog is wiped, also if the worker dies over it."""
    with world.workers("one") as [worker]:
        wait_until(lambda: worker.share() == PARTITIONS, "the worker has all partitions")
    spoil(world, "one")
    fails = {"one": ["copy-wiping:kill@2", "copy-wiping:kill@1"]}
    with world.workers("one", fails=fails) as [worker], world.flow():
        wait_until(lambda: worker.told("fail_point") == 2, "killed twice over a useless copy")
        wait_until(lambda: worker.share() == PARTITIONS, "restored")


def spoil(world: World, name: str) -> None:
    """The copies of a worker that does not run say that they go further than the changelog."""
    stores = Stores(world.data(name))
    for number in range(PARTITIONS):
        store = stores.open(number)
        if (mark := store.mark()) is not None:
            store.write([], mark.topic_id, 10**12)
    stores.close()


def half_a_copy(world: World) -> None:
    """Files of a copy are gone: it begins anew, whichever they are."""
    with world.workers("one") as [worker]:
        wait_until(lambda: worker.share() == PARTITIONS, "the worker has all partitions")
    for lost in ("customers-0/CURRENT", "customers-1/*.sst", "customers-2/MANIFEST*"):
        for path in world.data("one").glob(lost):
            path.unlink()
    with world.workers("one"), world.flow():
        time.sleep(1)


def _copy(from_: Path, to: Path) -> None:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(from_, to)
