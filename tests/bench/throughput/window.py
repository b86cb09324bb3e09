"""Follow a contender from its start, and measure its steady state: not its warm-up, not its end."""

import subprocess
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.bench.process import Seen, look
from tests.bench.throughput.progress import Progress

_EVERY_S = 0.02


class Plan(NamedTuple):
    """What of a backlog is measured."""

    backlog: int
    """Messages that wait for the contender."""
    warm_s: float = 3.0
    warm_share: float = 0.2
    """The warm-up ends after so long, or after this share of the backlog, whatever is first."""
    last_share: float = 0.85
    """What comes after is not measured: partitions end at different times."""
    measured_s: float = 8.0
    """At least so long, unless the backlog is too short for it."""
    commits: int = 2
    """And at least so many commits."""
    patience_s: float = 120.0
    """Without any commit for so long it is given up."""


class Edge(NamedTuple):
    """A moment at which something was just committed."""

    at: float
    """Seconds, of the monotonic clock."""
    count: int
    seen: Seen
    changelog_bytes: int


class StuckError(Exception):
    """The contender ended by itself, or commits nothing any more."""


def follow(
    process: "subprocess.Popen[bytes]",
    progress: Progress,
    plan: Plan,
    changelog_bytes: Callable[[], int],
    on_start: Callable[[], None],
) -> tuple[Edge, Edge]:
    """The first and the last edge of the steady state.

    `on_start` is called at the first. Raises StuckError.
    """
    edges: list[Edge] = []
    first: float | None = None
    heard = time.monotonic()
    known = 0
    while True:
        time.sleep(_EVERY_S)
        count, now = progress.count(), time.monotonic()
        if count == known:
            if process.poll() is not None:
                raise StuckError(f"it ended by itself with status {process.returncode}")
            if now - heard > plan.patience_s:
                raise StuckError(f"nothing was committed for {plan.patience_s:g} s, at {count:,}")
            continue
        known, heard = count, now
        first = first or now
        warm = now - first >= plan.warm_s or count >= plan.warm_share * plan.backlog
        seen = look(process.pid)
        if not warm or seen is None:
            continue
        if count >= plan.backlog:
            # It may have waited for work since: that says nothing of its speed.
            if len(edges) > 1:
                return edges[0], edges[-1]
            raise StuckError("the backlog was too short for a steady state")
        late = count > plan.last_share * plan.backlog
        if not (late and len(edges) > 1):
            edges.append(Edge(now, count, seen, changelog_bytes()))
        if len(edges) == 1:
            on_start()
        long_enough = now - edges[0].at >= plan.measured_s and len(edges) > plan.commits
        if len(edges) > 1 and (late or long_enough):
            return edges[0], edges[-1]
