"""What events do to the waits of a rule: which they answer, end, move or begin again; and which of
them another version dates anew."""

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
Change = Literal["answered", "ended", "moved", "again", "taken_back", "dropped", "dated_anew"]


class Ended(Struct, frozen=True, kw_only=True):
    """A wait that an event, or another version, ended or changed."""

    change: Change
    """`ended`: its date, or the thing that has it, is gone; `again`: its answer was taken back;
    `taken_back`: the event after which it waited; `dropped`: too many wait; `dated_anew`: by
    another version."""
    of: Named
    """The event after which it waited, with its type and its time, epoch milliseconds."""
    type: str
    at: int
    due: int
    """Until when it waited."""
    to: int | None = None
    """Until when it waits now, if it does."""
    by: Named
    """The event that did it, with its type and its time; or the rule and its version, without a
    type, and the time of what came when that was seen."""
    by_type: str
    by_at: int


class Waits:
    """Those of a rule, as they were after the last event."""

    def __init__(self) -> None:
        self._version = 0
        self._known: Mapping[str, tuple[Timer, str, int]] = {}
        """The timers that did not fire, with what they were about and when they were due: they
        change in place."""

    def look(self, rule: CheckedRule, record: Record, at: int) -> list[Ended]:
        """What another version did that has taken the rule's place. Timers that were due at `at`
        fired."""
        known, before = self._known, self._version
        self._version = rule.definition.version
        self._known = {
            key: (timer, timer.about, timer.due)
            for key, timer in record.activity.timers.items()
            if _is_wait_of(key, rule) and not timer.fired
        }
        return [] if before == self._version else [*_dated_anew(known, rule, record, at)]

    def after(self, rule: CheckedRule, record: Record, event: Input) -> list[Ended]:
        """What an event did, which was applied just now; or another version, by then."""
        known, before = self._known, self._version
        dated_anew = self.look(rule, record, event.at)
        return [*self._changes(known, rule, event)] if before == self._version else dated_anew

    def _changes(
        self, known: Mapping[str, tuple[Timer, str, int]], rule: CheckedRule, event: Input
    ) -> Iterator[Ended]:
        by = (event.event.source, event.event.id), event.type, event.at
        for key, (timer, about, due) in known.items():
            now = self._known.get(key)
            if now is None:
                yield _ended(_why_gone(key, rule, event), timer, due, by)
            elif now[1] != about:
                yield _ended("moved", timer, due, by, now[2])
        for key, (timer, _, due) in self._known.items():
            if key not in known and (timer.source, timer.id) != by[0]:
                yield _ended("again", timer, due, by, due)


def _dated_anew(
    known: Mapping[str, tuple[Timer, str, int]], rule: CheckedRule, record: Record, at: int
) -> Iterator[Ended]:
    by = rule.definition.id, str(rule.definition.version)
    for key, (timer, _, due) in known.items():
        if record.activity.timers.get(key) is timer and due not in (timer.due, at):
            yield _ended("dated_anew", timer, due, (by, "", at), timer.due)


def _is_wait_of(key: str, rule: CheckedRule) -> bool:
    parts = parts_of(key)
    return parts.rule == rule.definition.id and parts.kind != SILENCE


def _why_gone(key: str, rule: CheckedRule, event: Input) -> Change:
    if parts_of(key).kind != ABSENCE:
        return "ended"
    absence = rule.waits.absence
    if absence is not None and event.type in absence.types:
        return "answered"
    return "dropped" if event.type in rule.definition.on else "taken_back"


def _ended(
    change: Change, timer: Timer, due: int, by: tuple[Named, str, int], to: int | None = None
) -> Ended:
    return Ended(
        change=change,
        of=(timer.source, timer.id),
        type=timer.type,
        at=timer.at,
        due=due,
        to=to,
        by=by[0],
        by_type=by[1],
        by_at=by[2],
    )
