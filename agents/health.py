"""Is this worker well? The decision alone, from what was seen; agents/watch.py looks.

Stalled is: there is something to do, and for `stalled_after_s` nothing of it was done, although
Kafka answers. To do is: Kafka has more of an input than was fetched, or does not answer fetches
of it (unknown counts as behind); messages wait for their chunk; a chunk waits for its commit. Done
is: the position moved, or the fetch did. A start, a restore and a stop have to get on likewise.

A Kafka that does not answer, or does not take what is committed, is no stall: a restart mends
nothing, the new process would be refused at its start. The worker waits, alive and not ready.
(A commit that hangs although Kafka is well is ended by Kafka: it fences the producer when the
transaction's time is over.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sinks import health
from sinks.health import Health


class State(StrEnum):
    STARTING = "starting"
    REBALANCING = "rebalancing"
    RESTORING = "restoring"
    RUNNING = health.RUNNING
    BEHIND = "behind"
    BLOCKED = "blocked"
    KAFKA_AWAY = "kafka_away"
    STOPPING = "stopping"
    STALLED = health.STALLED


KAFKA_SILENT_S = 10.0
"""An idle fetch is answered ten times a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Settings of the worker, and in seconds where they end in `_s`."""

    stalled_after_s: float
    ready_lag: int
    """Messages of a partition number; 0: however many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionSeen:
    """A partition number that has a runner. Times in seconds."""

    number: int
    moved_s: float = 0.0
    """Since its position moved."""
    stuck_s: float = 0.0
    """For which it had something to do, and nothing of it was done."""
    silent_s: float = 0.0
    """For which Kafka has left a fetch of an input without answer, at most of all inputs."""
    refused_s: float = 0.0
    """For which Kafka has not taken what is to be committed."""
    behind: bool = False
    lag: int | None = None
    """Messages from the position to the ends of the inputs; None while unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A worker at one look. Times in seconds."""

    phase: State
    """Starting, rebalancing, restoring, running or stopping."""
    blocked_s: float = 0.0
    """Since the event loop last turned."""
    idle_s: float = 0.0
    """Since a start, a restore or a stop last got on."""
    restore_left: int = 0
    """Changelog offsets, of all partitions that are restored."""
    partitions: Sequence[PartitionSeen] = ()


def suspicion(seen: Seen, limits: Limits) -> str:
    """Why it looks stalled, if Kafka answers; empty if it does not."""
    limit = limits.stalled_after_s
    if seen.phase is not State.RUNNING:
        return f"no progress while {seen.phase} for {seen.idle_s:.0f} s" * (seen.idle_s > limit)
    if any(one.refused_s for one in seen.partitions):
        return ""
    for one in seen.partitions:
        if one.stuck_s > limit:
            return (
                f"partition {one.number} is behind and its position has not moved "
                f"for {one.stuck_s:.0f} s"
            )
        if one.silent_s > limit:
            return f"partition {one.number}: a fetch has had no answer for {one.silent_s:.0f} s"
    return ""


def judge(seen: Seen, limits: Limits, *, kafka_answers: bool) -> Health:
    """The state. `kafka_answers` is looked at only where there is a suspicion."""
    if seen.blocked_s > limits.stalled_after_s:
        return Health(State.STALLED, f"the event loop is blocked for {seen.blocked_s:.0f} s")
    if why := suspicion(seen, limits):
        if kafka_answers or seen.phase is State.STOPPING:
            return Health(State.STALLED, why)
        return Health(State.KAFKA_AWAY, f"Kafka does not answer: {why}")
    if seen.phase is not State.RUNNING:
        return Health(seen.phase, _restore_of(seen) if seen.phase is State.RESTORING else "")
    return _running(seen, limits)


def _running(seen: Seen, limits: Limits) -> Health:
    silent = max((one.silent_s for one in seen.partitions), default=0.0)
    refused = max((one.refused_s for one in seen.partitions), default=0.0)
    if silent > KAFKA_SILENT_S:
        return Health(State.KAFKA_AWAY, f"a fetch has had no answer for {silent:.0f} s")
    if refused > KAFKA_SILENT_S:
        return Health(State.KAFKA_AWAY, f"Kafka has not taken a commit for {refused:.0f} s")
    if seen.blocked_s > KAFKA_SILENT_S:
        return Health(State.BLOCKED, f"the event loop is blocked for {seen.blocked_s:.0f} s")
    lag, number = max(((one.lag or 0, one.number) for one in seen.partitions), default=(0, 0))
    if limits.ready_lag and lag > limits.ready_lag:
        return Health(State.BEHIND, f"partition {number} is {lag} messages behind")
    return Health(State.RUNNING)


def _restore_of(seen: Seen) -> str:
    return f"{seen.restore_left} changelog offsets left"
