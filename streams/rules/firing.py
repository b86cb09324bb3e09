"""What evaluating rules leads to."""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from schemas.effects import Change, Withheld
from schemas.rule_parts import Text
from schemas.rules import RuleDefinition
from streams.waits.absence import Waiting


class Amends(NamedTuple):
    """What a firing changes of what the rule did at an event before."""

    at: int
    """The time of that event, epoch milliseconds."""
    source: str
    id: str
    version: int
    change: Change
    things: Sequence[str] = ()
    """What is changed: `task`, `alert`; empty: all that the rule makes."""


class Firing(NamedTuple):
    """A rule whose condition held, with the values that made it so, as text."""

    rule: RuleDefinition
    values: dict[str, str]
    withheld: Withheld | None = None
    """Why its actions are not done."""
    reasons: tuple[Text, ...] = ()
    """Of a score: those of the signals that hold."""
    amends: Amends | None = None
    """None: it fired on the event of the step."""
    choices: frozenset[str] = frozenset()
    """Names of those values that are one of a closed list: texts show them in words."""


class Fired(Struct, frozen=True):
    firings: Sequence[Firing] = ()
    failed: Sequence[str] = ()
    """Ids of the rules that raised: they lose their effects, the fold stands."""
    waiting: Sequence[Waiting] = ()
    """Rules that fire later, unless an answer comes."""
    scored: bool = False
    """A score in the profile is another one."""
    amendable: Sequence[Firing] = ()
    """Of rules that can be amended: what fires if nothing that is known came after the event."""


NOTHING = Fired()


def also(fired: Fired, firings: Sequence[Firing], failed: Sequence[str] = ()) -> Fired:
    """With more that fired, all in the order of rules."""
    if not firings and not failed:
        return fired
    every = sorted([*fired.firings, *firings], key=lambda one: one.rule.id)
    return replace(fired, firings=every, failed=[*fired.failed, *failed], amendable=())
