"""A workload measured: every contender in turn, three times, at each number of partitions."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from rich.console import RenderableType

from tests.bench.throughput.contenders import (
    CONTENDERS,
    PEER_PYTHON,
    WITHOUT_TRANSACTIONS,
    Contender,
)
from tests.bench.throughput.ground import Ground
from tests.bench.throughput.results import Runs, as_json, as_table, ratios
from tests.bench.throughput.run import Measured, run
from tests.bench.throughput.window import Plan, StuckError
from tests.bench.throughput.workload import Workload

Say = Callable[[str], object]
GroundOf = Callable[[int, Workload], AbstractContextManager[Ground]]


class How(NamedTuple):
    partitions: Sequence[int] = (4, 12)
    runs: int = 3
    warm_s: float = 3.0
    measured_s: float = 8.0
    only: Sequence[str] = ()
    """Names of contenders; empty: all."""


class Outcome(NamedTuple):
    figures: dict[str, dict[str, dict[str, object]]]
    """Partitions → contender → figures."""
    ratios: dict[str, float]
    """At the first number of partitions."""
    tables: list[RenderableType]
    notes: list[str]
    """What was left out or failed, and why."""

    @property
    def names(self) -> set[str]:
        """Of the contenders that were measured."""
        return {name for by_name in self.figures.values() for name in by_name}


def measure(workload: Workload, ground_of: GroundOf, how: How, say: Say) -> Outcome:
    notes: list[str] = []
    contenders = list(present(workload, how.only, notes))
    outcome = Outcome({}, {}, [], notes)
    for partitions in how.partitions:
        say(f"{workload.name}: {len(workload.messages):,} messages on {partitions} partitions")
        with ground_of(partitions, workload) as ground:
            runs = _interleaved(contenders, workload, ground, how, say, notes)
            if not ground.settings.kafka.transactions:
                runs = {
                    one._replace(guarantee=WITHOUT_TRANSACTIONS): done for one, done in runs.items()
                }
        outcome.figures[str(partitions)] = as_json(runs)
        for name, ratio in ratios(workload.name, runs).items():
            outcome.ratios.setdefault(name, ratio)
        outcome.tables.append(as_table(f"{workload.name}, {partitions} partitions", runs))
    return outcome


def _interleaved(
    contenders: Sequence[Contender],
    workload: Workload,
    ground: Ground,
    how: How,
    say: Say,
    notes: list[str],
) -> Runs:
    runs: dict[Contender, list[Measured]] = {one: [] for one in contenders}
    plan = Plan(len(workload.messages), warm_s=how.warm_s, measured_s=how.measured_s)
    for number in range(1, how.runs + 1):
        for one in contenders:
            who = f"{workload.name}/{ground.partitions}, run {number} of {how.runs}: {one.title}"
            try:
                measured = run(one, workload, ground, plan)
            except StuckError as error:
                notes.append("\n".join([f"{who}: {error}", *getattr(error, "__notes__", ())]))
                say(f"{who}: {error}")
                continue
            runs[one].append(measured)
            cpu = measured.cpu_seconds / measured.events * 1e6
            say(f"{who} ({one.name}): {measured.rate:,.0f} events/s, {cpu:.1f} µs")
    return runs


def present(workload: Workload, only: Sequence[str], notes: list[str]) -> Iterator[Contender]:
    """Who takes part in a workload and is installed; a note says who is not."""
    for one in CONTENDERS:
        if workload.name not in one.workloads or (only and one.name not in only):
            continue
        if not one.package or _installed(one.package):
            yield one
        elif (note := f"{one.package} is left out: it is not in {PEER_PYTHON}") not in notes:
            notes.append(note)


def _installed(package: str) -> bool:
    if not PEER_PYTHON.exists():
        return False
    found = subprocess.run(
        [PEER_PYTHON, "-c", f"import {package}"], capture_output=True, check=False
    )
    return found.returncode == 0
