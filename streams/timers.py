"""The timers of a record: rules that wait, each under a key that says for what.

What sets, moves and ends them is in streams/waits/, one way to wait a file.
"""

from collections.abc import Mapping
from typing import NamedTuple

from schemas.activity import Timer
from schemas.effects import Cause
from schemas.envelope import Event, to_millis
from schemas.profile import NEVER
from schemas.record import Record
from streams.inputs import Input

MAX_FIRED = 500
"""At most so many customers' timers are fired at the partition time in one chunk: it may bring a
task for each, and a worker that is told to stop waits for the chunks of all its partitions."""
DEPOSITS = "deposits"
"""The first kind there was: keys of its timers do not name it."""
ABSENCE = "absence"
"""The kind that waits for an answer."""
SILENCE = "silence"
"""The kind that waits while nothing is heard."""
_EVER = 2**63 - 1

Due = tuple[int, str]
"""When a timer is due (epoch milliseconds), and its key."""


class Key(NamedTuple):
    rule: str
    kind: str
    """What it waits for."""
    name: str
    """Which of them."""


def key_of(rule: str, kind: str, name: str) -> str:
    """Such as `a-rule/absence:1f…`; rules have no stroke or colon in their ids."""
    return f"{rule}:{name}" if kind == DEPOSITS else f"{rule}/{kind}:{name}"


def parts_of(key: str) -> Key:
    owner, _, name = key.partition(":")
    rule, _, kind = owner.partition("/")
    return Key(rule, kind or DEPOSITS, name)


def timer(
    cause: Input | Cause, about: str, due: int, values: Mapping[str, str] | None = None
) -> Timer:
    """One that an event sets, or something else that effects can have as their cause."""
    told: Cause | Event
    if isinstance(cause, Cause):
        told, at = cause, to_millis(cause.time)
    else:
        told, at = cause.event, cause.at
    return Timer(
        about=about,
        due=due,
        source=told.source,
        id=told.id,
        type=cause.type,
        at=at,
        topic=cause.topic,
        partition=cause.partition,
        offset=cause.offset,
        values=dict(values or {}),
    )


def due(record: Record, until: int, known: int) -> list[Due]:
    """The timers that are due by `until` (epoch milliseconds), in the order of their times: a heap,
    too. Up to `known` all events have come: that nobody answered is known no further, however far
    another topic is ahead."""
    found: list[Due] = []
    for key, timer in record.activity.timers.items():
        is_due = timer.due <= until and not timer.fired
        if is_due and (timer.due <= known or not _is_absence(key)):
            found.append((timer.due, key))
    found.sort()
    return found


def _is_absence(key: str) -> bool:
    return parts_of(key).kind == ABSENCE


def settle(record: Record) -> None:
    """Bring the header's `next_due` in line with the timers."""
    first = _EVER
    for timer in record.activity.timers.values():
        if timer.due < first and not timer.fired:
            first = timer.due
    record.header.next_due = NEVER if first == _EVER else first
