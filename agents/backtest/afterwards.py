"""What became of an event after it came: it was taken back, what a rule did at it was amended."""

from collections.abc import Iterable, Iterator
from datetime import tzinfo

from schemas.events import EVENT_TYPES
from schemas.rules import RuleDefinition
from streams.inputs import Input
from streams.months import minute_at
from streams.rules.asking import Asked, Changed

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
