"""The rules in force: compiled once, applied to every event of a customer."""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.durations import DAY_MS
from streams.inputs import Input


class Firing(NamedTuple):
    """A rule whose condition held, with the values that made it so, as text."""

    rule: RuleDefinition
    values: dict[str, str]


class Fired(NamedTuple):
    firings: list[Firing]
    failed: list[str]
    """Ids of the rules that raised: they lose their effects, the fold stands."""


class RuleSet:
    """An immutable set of rules."""

    def __init__(self, definitions: Sequence[RuleDefinition], digest: str) -> None:
        self.definitions = tuple(definitions)
        self.digest = digest

    def apply(self, record: Record, event: Input, *, late: bool) -> Fired:
        """Update the event type's windows (unless late), then evaluate the live rules."""
        raise NotImplementedError

    def retract(self, record: Record, original: Input) -> None:
        """Take a reversed event out of the windows again."""
        raise NotImplementedError


def compile_rules(definitions: Sequence[RuleDefinition], *, lateness: int = 30 * DAY_MS) -> RuleSet:
    """Check and compile. `lateness`: how late an event may come, in milliseconds.

    Raises RuleErrors with everything that is wrong.
    """
    raise NotImplementedError
