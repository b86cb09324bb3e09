"""One run of a contender, measured in its steady state."""

from msgspec import Struct

from tests.bench.process import connections
from tests.bench.throughput.contenders import Contender
from tests.bench.throughput.ground import Ground
from tests.bench.throughput.launch import launched
from tests.bench.throughput.ours import Cache
from tests.bench.throughput.window import Plan, follow
from tests.bench.throughput.workload import Workload


class Measured(Struct, frozen=True, kw_only=True):
    """The steady state of one run."""

    events: int
    seconds: float
    cpu_seconds: float
    """Of the contender's own process, user and system."""
    rss_bytes: int
    threads: int
    connections: int | None
    changelog_bytes: int | None
    """What Kafka wrote of it to disk; None where there is none, or it cannot be seen."""
    cache_hit_rate: float | None
    """Ours alone tells it."""

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds


def run(contender: Contender, workload: Workload, ground: Ground, plan: Plan) -> Measured:
    """Raises StuckError."""
    caches: list[Cache] = []
    with launched(contender, workload, ground) as it:

        def look() -> None:
            if it.cache is not None:
                caches.append(it.cache())

        size = ground.bytes_of
        first, last = follow(
            it.process, it.progress, plan, lambda: size(it.changelog), on_start=look
        )
        look()
        holds = connections(it.process.pid, ground.port)
    seen = last.seen
    has_changelog = bool(it.changelog and ground.kafka_data)
    return Measured(
        events=last.count - first.count,
        seconds=last.at - first.at,
        cpu_seconds=seen.cpu_seconds - first.seen.cpu_seconds,
        rss_bytes=seen.rss_bytes,
        threads=seen.threads,
        connections=holds,
        changelog_bytes=last.changelog_bytes - first.changelog_bytes if has_changelog else None,
        cache_hit_rate=_hit_rate(caches),
    )


def _hit_rate(caches: list[Cache]) -> float | None:
    if not caches:
        return None
    first, last = caches[0], caches[-1]
    hits, misses = last.hits - first.hits, last.misses - first.misses
    return hits / max(hits + misses, 1)
