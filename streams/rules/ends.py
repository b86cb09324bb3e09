"""What events do to the waits of a rule: which they answer, end, move or begin again."""

from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

from schemas.activity import Timer
from schemas.record import Record
from streams.inputs import Input
from streams.rules.checked import CheckedRule
from streams.timers import ABSENCE, SILENCE, parts_of

Named = tuple[str, str]
"""An event's source and id."""


class Ended(Struct, frozen=True, kw_only=True):
    """A wait that an event ended, or changed."""

    change: Literal["answered", "ended", "moved", "again", "taken_back", "dropped"]
    """`ended`: its date, or the thing that has it, is gone; `again`: its answer was taken back;
    `taken_back`: the event after which it waited; `dropped`: too many wait."""
    of: Named
    """The event after which it waited, with its type and its time, epoch milliseconds."""
    type: str
    at: int
    due: int
    """Until when it waited."""
    to: int | None = None
    """Until when it waits now, if it does."""
    by: Named
    """The event that did it, with its type and its time."""
    by_type: str
    by_at: int


class Waits:
    """Those of a rule, as they were after the last event."""

    def __init__(self) -> None:
        self._version = 0
        self._known: Mapping[str, tuple[Timer, str, int]] = {}
        """The timers that did not fire, with what they were about and when they were due: they
        change in place."""

    def look(self, rule: CheckedRule, record: Record) -> None:
        """Without comparing: timers fired, or another version has taken the rule's place."""
        self._version = rule.definition.version
        self._known = {
            key: (timer, timer.about, timer.due)
            for key, timer in record.activity.timers.items()
            if _is_wait_of(key, rule) and not timer.fired
        }

    def after(self, rule: CheckedRule, record: Record, event: Input) -> list[Ended]:
        """What an event did, which was applied just now."""
        is_known = self._version == rule.definition.version
        known = self._known
        self.look(rule, record)
        return [*self._changes(known, rule, event)] if is_known else []

    def _changes(
        self, known: Mapping[str, tuple[Timer, str, int]], rule: CheckedRule, event: Input
    ) -> Iterator[Ended]:
        for key, (timer, about, due) in known.items():
            now = self._known.get(key)
            if now is None:
                yield _ended(_why_gone(key, rule, event), timer, due, event)
            elif now[1] != about:
                yield _ended("moved", timer, due, event, now[2])
        for key, (timer, _, due) in self._known.items():
            is_own = (timer.source, timer.id) == (event.event.source, event.event.id)
            if key not in known and not is_own:
                yield _ended("again", timer, due, event, due)


def _is_wait_of(key: str, rule: CheckedRule) -> bool:
    parts = parts_of(key)
    return parts.rule == rule.definition.id and parts.kind != SILENCE


def _why_gone(
    key: str, rule: CheckedRule, event: Input
) -> Literal["answered", "ended", "taken_back", "dropped"]:
    if parts_of(key).kind != ABSENCE:
        return "ended"
    absence = rule.waits.absence
    if absence is not None and event.type in absence.types:
        return "answered"
    return "dropped" if event.type in rule.definition.on else "taken_back"


def _ended(
    change: Literal["answered", "ended", "moved", "again", "taken_back", "dropped"],
    timer: Timer,
    due: int,
    event: Input,
    to: int | None = None,
) -> Ended:
    return Ended(
        change=change,
        of=(timer.source, timer.id),
        type=timer.type,
        at=timer.at,
        due=due,
        to=to,
        by=(event.event.source, event.event.id),
        by_type=event.type,
        by_at=event.at,
    )
