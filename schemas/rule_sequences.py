"""What must have come before the event that fires a rule."""

from typing import Annotated

from pydantic import Field

from schemas.rule_parts import EventTypes, Expression, FieldName, Span, Strict


class Step(Strict):
    """An event that came before the one that fires the rule."""

    name: Annotated[FieldName, Field(max_length=32)]
    """What conditions and texts call it, as in `login.device`."""
    on: EventTypes
    if_: Annotated[Expression | None, Field(alias="if")] = None
    """Of its own fields and those of the steps before it."""


class Sequence(Strict):
    """The steps, one after another."""

    within: Span
    """From the first step to the event."""
    steps: Annotated[list[Step], Field(min_length=1, max_length=3)]
