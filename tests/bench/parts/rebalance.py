"""What a rebalance costs: a second worker joins, is killed, comes back, leaves in order.

100,000 customers with records of 1 KB on 4 partitions, 1,000 events a second by the real clock,
one in five raises an alert. The pause of a partition is the longest time between two of its alerts
becoming readable to `read_committed`; half of the partitions move, the others stay where they are
and still pause, because Faust's protocol takes all from everybody. Before the kill the survivor's
local copies of what it is going to get are removed, unless it keeps standby copies: so it restores
as a worker would that never had them.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from config.settings import Settings, WorkerSettings
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
_STANDBY = "standby_replicas"


class Moment(NamedTuple):
    """Something that happened to the second worker, and the partitions that moved by it."""

    name: str
    at: float
    end: float
    moved: frozenset[int]
    ready: float
    """Seconds until all partitions were ready again."""


def measure(options: Options) -> Part:
    stories = {"without_standby": _story(options, {})}
    if _STANDBY in WorkerSettings.model_fields:
        stories["with_standby"] = _story(options, {_STANDBY: 1})
    lines = ["Rebalance, 4 partitions, 1,000 events/s: the longest time without an effect:"]
    for story, moments in stories.items():
        lines += [
            f"  {story.replace('_', ' ')}, {name}: moved {one['moved_s']} s, "
            f"unmoved {one['unmoved_s']} s"
            for name, one in moments.items()
        ]
    return Part({"rebalance": stories}, lines)


def _story(options: Options, extra: dict[str, object]) -> dict[str, Any]:
    with scratch(**extra) as settings:
        preload(settings, options.scaled(CUSTOMERS))
        customers = options.scaled(CUSTOMERS)
        partitions = settings.topics.partitions
        other = changed(settings, "worker", data=settings.worker.data.with_name("second"), **extra)
        with (
            Worker(settings) as first,
            reading(settings.kafka, "vip.alerts", partitions) as effects,
        ):
            first.wait_ready(partitions)
            with pace(settings.kafka, RATE, _LONG_S, customers, "rebalance"):
                moments = list(_happen(options, settings, first, Worker(other), not extra))
            seen = effects.end()
            first.stop()
    return {one.name: _pauses(one, seen, range(partitions)) for one in moments}


def _happen(
    options: Options, settings: Settings, first: Worker, second: Worker, cold: bool
) -> Iterator[Moment]:
    everything = settings.topics.partitions

    def moment(name: str, act: Callable[[], object], left: int) -> Moment:
        options.say(name)
        before = time.time()
        act()
        first.wait_ready(left)
        if left < everything:
            second.wait_ready(everything - left)
        ready = time.time() - before
        time.sleep(_CALM_S)
        return Moment(name, before, time.time(), _partitions(second), ready)

    time.sleep(2 * _CALM_S)  # the broker warms up
    calm = time.time()
    time.sleep(_CALM_S)
    yield Moment("calm", calm, time.time(), frozenset(), 0.0)
    yield moment("a worker joins", second.start, everything // 2)
    if cold:
        _forget(settings.worker.data, _partitions(second))
    yield moment("it is killed with -9", second.kill, everything)
    yield moment("it comes back", second.start, everything // 2)
    yield moment("it leaves in order", second.stop, everything)


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
