"""What became of an event after it came: it was taken back, what a rule did at it was amended, what
it waited for was answered."""

from collections.abc import Iterable, Iterator
from datetime import tzinfo

from schemas.events import EVENT_TYPES
from schemas.rules import RuleDefinition
from streams.inputs import Input
from streams.months import time_at
from streams.rules.answers import Changed
from streams.rules.asking import Asked

_STANDS = "; the rule is not amendable: what it did stands, and its windows no longer count that"
_GONE = "when its wait was over the rule was not in force, or waited no more: nothing followed"


def afterwards(
    event: Input,
    asked: Asked,
    inputs: Iterable[Input],
    rule: RuleDefinition,
    zone: tzinfo,
    end: int,
) -> Iterator[str]:
    """What the customer's other events, and versions of the rule, changed about the event that it
    was asked about, and that about others, up to `end` (epoch milliseconds); for people."""
    stands = "" if rule.amendable else _STANDS
    for other in inputs:
        name = f"{other.type} {_named(other.event.id, other.at, zone)}"
        if _takes_back(other, event):
            yield f"{name} takes it back{_part(other)}{stands}"
        elif _takes_back(event, other):
            yield f"it takes back {name}{_part(event)}{stands}"
    for change in asked.changes.values():
        if change.of == (event.event.source, event.event.id):
            by = f"{change.type} {_named(change.by[1], change.by_at, zone)}"
            yield f"what the rule did at it was {change.change} by {by}{_shown(change)}"
        else:
            of = _named(change.of[1], change.at, zone)
            yield f"what the rule did at {of} was {change.change} by it{_shown(change)}"
    for one in asked.ends:
        is_its_own = one.of == (event.event.source, event.event.id)
        by = f"{one.by_type} {_named(one.by[1], one.by_at, zone)}"
        yield (_OF if is_its_own else _BY)[one.change].format(
            of=f"{one.type} {_named(one.of[1], one.at, zone)}",
            by=by if one.by_type else "@".join(one.by),
            due=time_at(one.due, zone),
            to="" if one.to is None else time_at(one.to, zone),
        )
    if rule.wait is not None and _ran_out(asked, end):
        yield _GONE


def _ran_out(asked: Asked, end: int) -> bool:
    """Whether a wait was over without the rule."""
    told = {at for when, at in asked.answers if when in ("answer", "timer")}
    told |= {one.due for one in asked.ends}
    begun = {one.due for each in asked.answers.values() for one in each.waits if not one.fired}
    begun |= {one.to for one in asked.ends if one.change == "dated_anew" and one.to is not None}
    return any(due <= end for due in begun - told)


_OF = {
    "answered": "its wait until {due} was answered by {by}",
    "ended": "its wait until {due} ended with {by}",
    "moved": "its wait until {due} was moved to {to} by {by}",
    "again": "it waits again, until {to}: {by} took back what had answered it",
    "taken_back": "its wait until {due} ended with {by}",
    "dated_anew": "its wait until {due} was moved to {to} by {by}, which waits for another time",
    "dropped": "its wait until {due} gave way as {by} came: too many wait of this customer",
}
"""By what was done to the wait of the event."""
_BY = {
    "answered": "it answered the wait of {of}, until {due}",
    "ended": "it ended the wait of {of}, until {due}",
    "moved": "it moved the wait of {of} from {due} to {to}",
    "again": "{of} waits again with it, until {to}: what had answered that is taken back",
    "taken_back": "it ended the wait of {of}, until {due}",
    "dropped": "the wait of {of}, until {due}, gave way to its own: too many wait of this customer",
}
"""By what the event did to the wait of another."""


def _takes_back(one: Input, other: Input) -> bool:
    takes_back = EVENT_TYPES[one.type].takes_back
    return (
        takes_back is not None
        and other.type in takes_back.types
        and all(
            getattr(one.event.data, name) == getattr(other.event.data, name)
            for name in takes_back.named_by
        )
    )


def _part(one: Input) -> str:
    takes_back = EVENT_TYPES[one.type].takes_back
    return ", perhaps a part of it" if takes_back and takes_back.in_parts else ""


def _shown(one: Changed) -> str:
    if one.change == "retracted" or not one.values:
        return ""
    return ": " + ", ".join(f"{name} = {value}" for name, value in one.values.items())


def _named(name: str, at: int, zone: tzinfo) -> str:
    return f"{name} of {time_at(at, zone)}"
