"""What became of an event after it came: it was taken back, what a rule did at it was amended, what
it waited for was answered."""

from collections.abc import Iterable, Iterator
from datetime import tzinfo

from schemas.events import EVENT_TYPES
from schemas.rules import RuleDefinition
from streams.inputs import Input
from streams.months import minute_at
from streams.rules.answers import Changed
from streams.rules.asking import Asked

_STANDS = "; the rule is not amendable: what it did stands, and its windows no longer count that"


def afterwards(
    event: Input, asked: Asked, inputs: Iterable[Input], rule: RuleDefinition, zone: tzinfo
) -> Iterator[str]:
    """What the customer's other events changed about the one that the rule was asked about, and it
    about them, for people."""
    stands = "" if rule.amendable else _STANDS
    for one in inputs:
        name = f"{one.type} {_named(one.event.id, one.at, zone)}"
        if _takes_back(one, event):
            yield f"{name} takes it back{_part(one)}{stands}"
        elif _takes_back(event, one):
            yield f"it takes back {name}{_part(event)}{stands}"
    for change in asked.changes.values():
        if change.of == (event.event.source, event.event.id):
            by = f"{change.type} {_named(change.by[1], change.by_at, zone)}"
            yield f"what the rule did at it was {change.change} by {by}{_shown(change)}"
        else:
            of = _named(change.of[1], change.at, zone)
            yield f"what the rule did at {of} was {change.change} by it{_shown(change)}"
    for end in asked.ends:
        is_its_own = end.of == (event.event.source, event.event.id)
        yield (_OF if is_its_own else _BY)[end.change].format(
            of=f"{end.type} {_named(end.of[1], end.at, zone)}",
            by=f"{end.by_type} {_named(end.by[1], end.by_at, zone)}",
            due=minute_at(end.due, zone),
            to="" if end.to is None else minute_at(end.to, zone),
        )


_OF = {
    "answered": "its wait until {due} was answered by {by}",
    "ended": "its wait until {due} ended with {by}",
    "moved": "its wait until {due} was moved to {to} by {by}",
    "again": "it waits again, until {to}: {by} took back what had answered it",
    "taken_back": "its wait until {due} ended with {by}",
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
    return f"{name} of {minute_at(at, zone)}"
