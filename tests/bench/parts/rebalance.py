"""What a rebalance costs: a second worker joins, is killed, comes back, leaves in order.

100,000 customers with records of 1 KB on 4 partitions, 1,000 events a second by the real clock,
one in five raises an alert. The pause of a partition is the longest time between two of its alerts
becoming readable to `read_committed`; half of the partitions move, the others stay where they are
and still pause, because Faust's protocol takes all from everybody. Before the kill the survivor's
local copies of what it is going to get are removed, unless it keeps standby copies: so it restores
as a worker would that never had them. With an instance name, a worker that is killed and starts
again within the session keeps its partitions.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from config.settings import Settings
from tests.bench.parts.customers import preload
from tests.bench.parts.effects import Seen, reading
from tests.bench.parts.part import Options, Part, run_alone, scratch
from tests.bench.parts.traffic import pace
from tests.lane.process import Worker, changed

CUSTOMERS = 100_000
RATE = 1_000
_CALM_S = 4.0
"""Before and after everything that happens."""
_LONG_S = 600.0


class Moment(NamedTuple):
    """Something that happened to the second worker, and the partitions that moved by it."""

    name: str
    at: float
    end: float
    moved: frozenset[int]
    ready: float
    """Seconds until all partitions were ready again."""


def measure(options: Options) -> Part:
    stories = {
        "without standby": _story(options, _cold, standbys=0),
        "with standby": _story(options, _warm, standbys=1),
        "with standby and instance": _story(options, _static, standbys=1, instance="bench"),
    }
    lines = ["Rebalance, 4 partitions, 1,000 events/s: the longest time without an effect:"]
    for story, moments in stories.items():
        lines += [
            f"  {story}, {name}: moved {_shown(one['moved_s'])}, unmoved {_shown(one['unmoved_s'])}"
            for name, one in moments.items()
        ]
    return Part({"rebalance": stories}, lines)


class _Stage(NamedTuple):
    """Two workers, of which the first runs, and the events go."""

    options: Options
    settings: Settings
    first: Worker
    second: Worker

    def moment(self, name: str, act: Callable[[], object], *, alone: bool) -> Moment:
        """Do something, and wait until the first has all partitions again, or each its half."""
        self.options.say(name)
        everything = self.settings.topics.partitions
        before = time.time()
        act()
        self.first.wait_ready(everything if alone else everything // 2)
        if not alone:
            self.second.wait_ready(everything // 2)
        ready = time.time() - before
        time.sleep(_CALM_S)
        return Moment(name, before, time.time(), _partitions(self.second), ready)

    def calm(self) -> Moment:
        time.sleep(2 * _CALM_S)  # the broker warms up
        before = time.time()
        time.sleep(_CALM_S)
        return Moment("calm", before, time.time(), frozenset(), 0.0)


def _cold(stage: _Stage) -> Iterator[Moment]:
    yield stage.calm()
    yield stage.moment("a worker joins", stage.second.start, alone=False)
    _forget(stage.settings.worker.data, _partitions(stage.second))
    yield stage.moment("it is killed with -9", stage.second.kill, alone=True)


def _warm(stage: _Stage) -> Iterator[Moment]:
    yield stage.calm()
    yield stage.moment("a worker joins", stage.second.start, alone=False)
    yield stage.moment("it is killed with -9", stage.second.kill, alone=True)
    yield stage.moment("it comes back", stage.second.start, alone=False)
    yield stage.moment("it leaves in order", stage.second.stop, alone=True)


def _static(stage: _Stage) -> Iterator[Moment]:
    yield stage.calm()
    yield stage.moment("a worker joins", stage.second.start, alone=False)

    def kill_and_start() -> None:
        stage.second.kill()
        stage.second.start()

    yield stage.moment("it is killed and starts at once", kill_and_start, alone=False)


def _story(
    options: Options,
    happen: Callable[[_Stage], Iterator[Moment]],
    *,
    standbys: int,
    instance: str = "",
) -> dict[str, Any]:
    customers = options.scaled(CUSTOMERS)
    with scratch(standbys=standbys) as settings:
        preload(settings, customers)
        folders = (settings.worker.data.with_name(name) for name in ("first", "second"))
        own = [
            changed(settings, "worker", data=data, instance=instance and f"{instance}-{number}")
            for number, data in enumerate(folders)
        ]
        partitions = settings.topics.partitions
        first, second = map(Worker, own)
        with first, reading(settings.kafka, "vip.alerts", partitions) as effects:
            first.wait_ready(partitions)
            with pace(settings.kafka, RATE, _LONG_S, customers, "rebalance"):
                moments = list(happen(_Stage(options, own[0], first, second)))
            seen = effects.end()
            for worker in (first, second):
                if worker.process.poll() is None:
                    worker.kill()
    return {one.name: _pauses(one, seen, range(partitions)) for one in moments}


def _shown(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds} s"


def _partitions(worker: Worker) -> frozenset[int]:
    """What a worker said it had when it was last ready."""
    lines = worker.log.read_text().splitlines() if worker.log.exists() else []
    told = [json.loads(line) for line in lines if '"worker_ready"' in line]
    held = [frozenset(one["partitions"]) for one in told if one["partitions"]]
    return held[-1] if held else frozenset()


def _forget(data: Path, partitions: Iterable[int]) -> None:
    for partition in partitions:
        shutil.rmtree(data / f"customers-{partition}")


def _pauses(moment: Moment, seen: list[Seen], partitions: range) -> dict[str, float | None]:
    gaps = {one: _longest_gap(moment, seen, one) for one in partitions}
    moved = [gap for one, gap in gaps.items() if one in moment.moved]
    unmoved = [gap for one, gap in gaps.items() if one not in moment.moved]
    return {
        "moved_s": round(max(moved), 2) if moved else None,
        "unmoved_s": round(max(unmoved), 2) if unmoved else None,
        "ready_after_s": round(moment.ready, 2),
    }


def _longest_gap(moment: Moment, seen: list[Seen], partition: int) -> float:
    times = [moment.at]
    times += [
        one.at for one in seen if one.partition == partition and moment.at < one.at < moment.end
    ]
    times.append(moment.end)
    return max(later - earlier for earlier, later in pairwise(times))


if __name__ == "__main__":
    run_alone(measure)
