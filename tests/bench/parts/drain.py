"""A worker that takes inputs that are there already, as fast as it can."""

import time
from typing import NamedTuple

from config.settings import Settings
from tests.bench.parts.journal import follow
from tests.bench.process import connections, look
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
    threads: int
    connections: int | None
    memory_mb: float
    """Of the worker's process at the end; memory is its resident set."""

    def figures(self) -> dict[str, float | None]:
        return {
            "events": self.events,
            "events_per_second": round(self.rate),
            "cpu_us_per_event": round(self.cpu_us, 1),
            "cache_hit_rate": round(self.hit_rate, 3),
            "threads": self.threads,
            "connections": self.connections,
            "memory_mb": round(self.memory_mb),
        }


def drain(settings: Settings, messages: int, warm: int = 1) -> Drained:
    """Run a worker until so many messages are applied; the chunks of the first `warm` are left
    out, so that start and cold caches do not count. Needs /proc."""
    with Worker(settings) as worker:
        taken = events = 0
        for chunk in follow(settings, messages):
            seen = look(worker.process.pid)
            assert seen is not None, "the worker runs, and there is /proc"
            if taken < warm:
                begun, cpu = time.monotonic(), seen.cpu_seconds
            else:
                events += chunk.taken
            taken += chunk.taken
            ended = time.monotonic()
        holds = connections(worker.process.pid, int(settings.kafka.bootstrap.rpartition(":")[2]))
        metrics = worker.wait_ready().metrics()
        worker.stop()
    hits, misses = metrics["vipcare_cache_hits_total"], metrics["vipcare_cache_misses_total"]
    return Drained(
        events,
        events / (ended - begun),
        (seen.cpu_seconds - cpu) / events * 1e6,
        hits / max(hits + misses, 1),
        seen.threads,
        holds,
        seen.rss_bytes / 1024**2,
    )


def settle(settings: Settings) -> None:
    """Let a worker restore what the changelog holds, tidy its disk up, and stop."""
    with Worker(settings) as worker:
        worker.wait_ready(settings.topics.partitions)
        before = -1.0
        while (spent := cpu_seconds(worker)) > before + _IDLE:
            before = spent
            time.sleep(1)
        worker.stop()


def cpu_seconds(worker: Worker) -> float:
    """User and system, since the worker began."""
    seen = look(worker.process.pid)
    assert seen is not None, "the worker runs, and there is /proc"
    return seen.cpu_seconds
