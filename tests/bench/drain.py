"""A worker that takes inputs that are there already, as fast as it can."""

import time
from typing import NamedTuple

from config.settings import Settings
from tests.bench.cpu import CpuMeter
from tests.bench.journal import follow
from tests.bench.process import Held, held
from tests.lane.process import Worker

_IDLE = 0.03
"""Of a core."""


class Drained(NamedTuple):
    events: int
    rate: float
    """Events a second."""
    cpu_us: float
    """CPU microseconds an event, of the worker's process alone."""
    hit_rate: float
    """Of the cache of decoded records."""
    held: Held

    def figures(self) -> dict[str, float]:
        return {
            "threads": self.held.threads,
            "connections": self.held.connections,
            "memory_mb": round(self.held.memory_mb),
            "events": self.events,
            "events_per_second": round(self.rate),
            "cpu_us_per_event": round(self.cpu_us, 1),
            "cache_hit_rate": round(self.hit_rate, 3),
        }


def drain(settings: Settings, messages: int, warm: int = 1) -> Drained:
    """Run a worker until so many messages are applied; the chunks of the first `warm` are left
    out, so that start and cold caches do not count."""
    with Worker(settings) as worker, CpuMeter(worker.process.pid) as meter:
        chunks = follow(settings, messages)
        metrics = worker.wait_ready().metrics()
        taken = 0
        while taken < warm:
            first = chunks.pop(0)
            taken += first.taken
        end, events = max(chunk.at for chunk in chunks), sum(chunk.taken for chunk in chunks)
        cpu = meter.between(first.at, end)
        holds = held(worker.process.pid)
        worker.stop()
    hits, misses = metrics["vipcare_cache_hits_total"], metrics["vipcare_cache_misses_total"]
    return Drained(
        events,
        events / max(end - first.at, 1) * 1_000,
        (cpu or 0.0) / events * 1e6,
        hits / max(hits + misses, 1),
        holds,
    )


def settle(settings: Settings) -> None:
    """Let a worker restore what the changelog holds, tidy its disk up, and stop."""
    with Worker(settings) as worker, CpuMeter(worker.process.pid) as meter:
        worker.wait_ready(settings.topics.partitions)
        before = -1.0
        while (spent := meter.total() or 0.0) > before + _IDLE:
            before = spent
            time.sleep(1)
        worker.stop()
