"""Where a partition begins after its changelog was read: its position, checked against Kafka."""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from schemas.position import Position, Range


class PositionError(Exception):
    """The position and Kafka disagree; one line that says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class Log:
    """One partition of an input topic as Kafka has it now."""

    topic_id: str
    earliest: int
    end: int | None
    """None where the broker cannot be trusted with it."""
    committed: int | None
    """The group's committed offset, for a consistency check alone."""


def place(
    partition: int, position: Position | None, logs: Mapping[str, Log], changelog: str
) -> Position:
    """The position to go on from. Raises PositionError rather than lose or double anything.

    `changelog` is the id of the changelog that holds the position, empty where there are none.
    """
    if position is None:
        return _first(partition, logs, changelog)
    if position.changelog and changelog and position.changelog != changelog:
        raise PositionError(
            f"partition {partition}: the changelog was made anew while a worker ran: its topic id "
            f"is {changelog}, the position's is {position.changelog}, and it lacks the records of "
            "before. Restore the changelog (workers set their copies of the old one aside, in "
            "worker.data), or begin anew with other topics"
        )
    for topic, taken in position.ranges.items():
        _check(topic, partition, taken, logs[topic])
    new = {
        topic: Range(topic_id=log.topic_id, start=log.earliest, end=log.earliest)
        for topic, log in logs.items()
        if topic not in position.ranges
    }
    return replace(position, ranges={**position.ranges, **new}, changelog=changelog)


def _first(partition: int, logs: Mapping[str, Log], changelog: str) -> Position:
    """A partition that was never run: from the beginning of every log."""
    for topic, log in logs.items():
        if log.committed:
            raise PositionError(
                f"{topic}[{partition}] has the committed offset {log.committed}, but the changelog "
                "holds no position: it was emptied. Restore the changelog, or begin anew with "
                "another worker.app"
            )
    ranges = {
        topic: Range(topic_id=log.topic_id, start=log.earliest, end=log.earliest)
        for topic, log in logs.items()
    }
    return Position(
        partition=partition, number=0, ranges=ranges, now=0, rules="", changelog=changelog
    )


def _check(topic: str, partition: int, taken: Range, log: Log) -> None:
    where = f"{topic}[{partition}]"
    if taken.topic_id and log.topic_id and taken.topic_id != log.topic_id:
        raise PositionError(
            f"{where} was made anew: its topic id is {log.topic_id}, the position's is "
            f"{taken.topic_id}. Begin anew with another worker.app, or restore the topic"
        )
    if taken.end < log.earliest:
        raise PositionError(
            f"{where} begins at offset {log.earliest}, but the position is {taken.end}: "
            f"{log.earliest - taken.end} messages were removed unread. Restore them, or begin anew "
            "with another worker.app"
        )
    if log.end is not None and taken.end > log.end:
        raise PositionError(
            f"{where} ends at offset {log.end}, but the position is {taken.end}: the topic lost "
            "messages. Restore it, or begin anew with another worker.app"
        )
