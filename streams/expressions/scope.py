"""Which names an expression sees where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.attributes import NONE_DECLARED, Attributes
from streams.expressions.nodes import Type


@dataclass(frozen=True)
class Scope:
    """Which names an expression sees."""

    types: tuple[str, ...]
    """The event types it is evaluated for."""
    lets: Mapping[str, Type] = field(default_factory=dict)
    attributes: Attributes = NONE_DECLARED
    inside: str = ""
    """`an aggregate` or `a step`, if it stands in one: only the event's own fields are seen there,
    and steps before it."""
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The steps of a sequence that come before, by name, in order: their event types."""
    broken: frozenset[str] = frozenset()
    """Lets and steps that are wrong themselves."""
    later: frozenset[str] = frozenset()
    """Lets that come only later."""
    listed: str = ""
    """The list in whose condition it stands: the fields of its things are seen by their names, and
    those of the event as `event.x`."""

    def seen(self) -> str:
        """What is seen where only the event's own fields are."""
        before = " and the steps before it" * (self.inside == "a step")
        return f"only the event's own fields{before} are seen inside {self.inside}"
