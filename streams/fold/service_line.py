"""The service line: what customer and bank had to do with each other, from every channel, in one
line of time."""

from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from msgspec import Raw

from schemas.activity import ActivitySection, Contact, unpack_line
from schemas.packed import pack
from streams.fold.bounded import count_dropped, cut
from streams.inputs import Input

MAX_CONTACTS = 40

_NAME_BYTES = 40
NOTE = "note"
"""In place of an event's type: what a rule enters."""


def contact_of(event: Input) -> Contact | None:
    """The entry that an event makes; None for one that is no contact."""
    told = _TOLD.get(event.type)
    if told is None:
        return None
    channel, about, name, result = told(event.event.data)
    return Contact(
        event.at,
        event.type,
        cut(channel or ""),
        cut(about or ""),
        cut(name or "", _NAME_BYTES),
        cut(str(result or "")),
    )


def note_of(rule: str, about: str, at: int) -> Contact:
    """The entry that a rule makes."""
    return Contact(at, NOTE, about=cut(about), name=cut(rule, _NAME_BYTES))


def enter(activity: ActivitySection, contact: Contact) -> None:
    """Put an entry into its place; the oldest gives way. A note is an entry and no contact: it does
    not say that anybody spoke with the customer."""
    activity.contacts += 1
    if contact.type != NOTE:
        activity.last_contact_at = max(activity.last_contact_at, contact.at)
    line = unpack_line(activity.line)
    line.insert(bisect_left(line, contact), contact)
    if len(line) > MAX_CONTACTS:
        del line[0]
        count_dropped(activity.dropped, "line")
    activity.line = Raw(pack(line))


_Told = tuple[str | None, str | None, str | None, object]
"""Channel, about, name, result."""


def _task(data: Any) -> _Told:
    return "crm", data.reason, data.task, None


_TOLD: dict[str, Callable[[Any], _Told]] = {
    "complaint.raised": lambda d: (d.channel, d.about, d.case, d.severity),
    "suggestion.raised": lambda d: (d.channel, d.about, d.case, d.severity),
    "call.received": lambda d: ("phone", d.about, d.call, None),
    "branch.visited": lambda d: ("branch", d.about, d.branch, None),
    "message.received": lambda d: (d.channel, d.about, None, None),
    "rm.contacted": lambda d: (d.channel, d.about, d.rm, None),
    "survey.answered": lambda d: (None, None, d.survey, f"{d.score}/{d.best}"),
    "question.asked": lambda d: ("app", d.about, None, None),
    "contact.made": lambda d: (d.channel, None, d.task, "reached" if d.reached else "not reached"),
    "task.accepted": _task,
    "task.started": _task,
    "task.completed": _task,
    "task.declined": _task,
    "outcome.recorded": lambda d: ("crm", d.product, d.task, d.outcome),
}
CONTACT_TYPES = frozenset(_TOLD)
"""The event types that make an entry."""
