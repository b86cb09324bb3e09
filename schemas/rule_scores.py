"""A score as a rule's owner writes it: signals with points, and when it is high."""

from typing import Annotated

from pydantic import Field, model_validator

from schemas.at_key import at_key
from schemas.rule_parts import Expression, FieldName, Strict, Text, Whole

ScoreName = Annotated[FieldName, Field(max_length=40)]


class Signal(Strict):
    points: Annotated[Whole, Field(ge=-100, le=100)]
    if_: Annotated[Expression, Field(alias="if")]
    reason: Text


class Score(Strict):
    """The points of the signals that hold, kept in the profile."""

    name: ScoreName
    threshold: Annotated[Whole, Field(ge=1)]
    """From here on it is high: the rule fires."""
    release: Annotated[Whole, Field(ge=1)]
    """Below this it is low again, and the rule may fire anew."""
    signals: Annotated[list[Signal], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _can_be_reached(self) -> "Score":
        if self.release > self.threshold:
            raise at_key("release", "release should not be above threshold")
        most = sum(one.points for one in self.signals if one.points > 0)
        if most < self.threshold:
            message = f"all signals together have {most} points, below the threshold"
            raise at_key("threshold", message)
        return self
