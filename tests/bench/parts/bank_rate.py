"""How fast the simulated bank makes events, on one core, and in how much memory.

With the customers of the demo, and with a million of them at 5,000 events a second.
"""

import multiprocessing
import re
import resource
import time
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from agents.bank.plan import Plan
from agents.bank.simulation import messages
from tests.bench.parts.part import Options, Part, run_alone

_ORIGIN = 1_767_575_400_000
_LEAST = 5_000
"""Events a second that are promised."""


class Case(NamedTuple):
    customers: int
    history_days: int
    rate: float


class Rate(NamedTuple):
    first_s: float
    """CPU time until the first message."""
    events_per_second: float
    """In CPU time, after that."""
    peak_mb: float
    """Of the process's memory, all that Python itself takes included."""


CASES = {
    "demo": Case(customers=300, history_days=200, rate=50.0),
    "million": Case(customers=1_000_000, history_days=0, rate=5_000.0),
}


def measure(options: Options) -> Part:
    count = options.scaled(400_000)
    found: dict[str, Rate] = {}
    for name, case in CASES.items():
        options.say(f"bank-rate: {case.customers:,} customers, {count:,} events")
        found[name] = rate_of(case, count)
    lines = [
        f"the simulated bank, {CASES[name].customers:,} customers: {one.events_per_second:,.0f} "
        f"events/s on one core; first message after {one.first_s:.1f} s, {one.peak_mb:,.0f} MB"
        for name, one in found.items()
    ]
    slow = [name for name, one in found.items() if one.events_per_second < _LEAST]
    lines += [f"BELOW {_LEAST:,} events/s: {', '.join(slow)}"] if slow else []
    figures = {name: {key: round(value, 2) for key, value in one._asdict().items()}
               for name, one in found.items()}  # fmt: skip
    return Part({"bank_rate": figures}, lines)


def rate_of(case: Case, count: int) -> Rate:
    """In a process of its own, whose memory nothing else has used."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_play, (case, count))


def _play(case: Case, count: int) -> Rate:
    plan = Plan(
        origin=_ORIGIN,
        seed=7,
        pace=1.0,
        duplicates=0.01,
        late=0.005,
        broken=0.002,
        mis_keyed=0.0005,
        **case._asdict(),
    )
    began = time.process_time()
    told = messages(plan)
    next(told)
    ready = time.process_time()
    made = sum(1 for _ in islice(told, count))
    took = time.process_time() - ready
    return Rate(ready - began, made / took, _peak_mb())


def _peak_mb() -> float:
    """Linux counts into `ru_maxrss` what the process had been forked from."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert peak, "Linux tells it"
        return int(peak[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


if __name__ == "__main__":
    run_alone(measure)
