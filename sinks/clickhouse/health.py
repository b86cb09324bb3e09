"""Is this sink well? The decision alone, from what was seen; watch.py looks.

Stalled is: for `stalled_after_s` the loop has not turned, or Kafka has had more than was taken and
nothing was stored, although Kafka and ClickHouse answer. While one of them is away the sink waits,
alive and not ready: a restart would mend nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

from sinks import health
from sinks.health import Health

KAFKA_SILENT_S = 15.0
"""Kafka is asked every few seconds."""


class State(StrEnum):
    STARTING = "starting"
    RUNNING = health.RUNNING
    CLICKHOUSE_AWAY = "clickhouse_away"
    KAFKA_AWAY = "kafka_away"
    STALLED = health.STALLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A sink at one look. Times in seconds."""

    joined: bool = True
    """It is a member of its group, with partitions or without."""
    checked: bool = True
    """ClickHouse has been seen to have the tables."""
    away: str = ""
    """Who did not answer at the last try: `clickhouse`, `kafka` (of a dead letter), or nobody."""
    quiet_s: float = 0.0
    """Since the loop last turned, or tried an insert."""
    stuck_s: float = 0.0
    """For which there was something to store, and nothing was stored."""
    kafka_silent_s: float = 0.0
    """Since Kafka answered the watch."""


def suspicion(seen: Seen, stalled_after_s: float) -> str:
    """Why it looks stalled, if ClickHouse answers; empty if it does not."""
    if seen.away or seen.kafka_silent_s:
        return ""
    if seen.quiet_s > stalled_after_s:
        return f"the loop has not turned for {seen.quiet_s:.0f} s"
    if seen.stuck_s > stalled_after_s:
        return f"Kafka has more, and nothing was stored for {seen.stuck_s:.0f} s"
    return ""


def judge(seen: Seen, stalled_after_s: float, *, clickhouse_answers: bool) -> Health:
    """The state. `clickhouse_answers` is looked at only where there is a suspicion."""
    if why := suspicion(seen, stalled_after_s):
        if clickhouse_answers:
            return Health(State.STALLED, why)
        return Health(State.CLICKHOUSE_AWAY, f"ClickHouse does not answer: {why}")
    if seen.away == "kafka":
        return Health(State.KAFKA_AWAY, "Kafka does not take the dead letters of refused rows")
    if seen.away:
        return Health(State.CLICKHOUSE_AWAY, "ClickHouse does not answer, or refuses")
    if seen.kafka_silent_s > KAFKA_SILENT_S:
        return Health(State.KAFKA_AWAY, f"Kafka has not answered for {seen.kafka_silent_s:.0f} s")
    if not seen.checked:
        return Health(State.STARTING, "ClickHouse and its tables are not seen yet")
    if not seen.joined:
        return Health(State.STARTING, "the group has not given it its partitions yet")
    return Health(State.RUNNING)
