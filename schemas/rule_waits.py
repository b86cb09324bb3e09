"""How a rule waits: until some days before a date, or so long without an answer to its event."""

from typing import Annotated

from pydantic import Field, model_validator

from schemas.rule_parts import Duration, Expression, FieldName, Strict

NINE = "09:00"


class Without(Strict):
    """The events that answer the one that a rule waits after."""

    on: Annotated[list[str], Field(min_length=1, max_length=20)]
    """Their types."""
    where: Expression | None = None
    """Which of them, by their own fields."""
    same: Annotated[list[FieldName], Field(max_length=5)] = Field(default_factory=list)
    """Fields that are the same in both events: the journey, the card, … that both are about."""

    @model_validator(mode="before")
    @classmethod
    def _types_alone(cls, values: object) -> object:
        """A type, or several in a list, is all that most rules say."""
        if isinstance(values, str | list):
            values = {"on": values}
        if isinstance(values, dict):
            lists = {
                key: [one] for key in ("on", "same") if isinstance(one := values.get(key), str)
            }
            return {**values, **lists}
        return values


class Wait(Strict):
    """Either: some days before a date that the event tells, the condition is looked at as things
    are by then. Or: the condition is looked at when the event comes, and the rule fires `for` so
    long after it if nothing of `without` came by then.
    """

    for_: Annotated[Duration | None, Field(alias="for")] = None
    without: Without | None = None
    days: Annotated[int | None, Field(ge=0, le=3_650)] = None
    before: Annotated[FieldName | None, Field(examples=["matures_on"])] = None
    """The event's field that holds the date."""
    at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = NINE
    """The time of that day, in the bank's time zone."""

    @model_validator(mode="after")
    def _one_way(self) -> "Wait":
        timed = self.for_ is not None or self.without is not None
        dated = self.days is not None or self.before is not None or self.at != NINE
        if timed and dated:
            raise ValueError("for and without say a time, days, before and at a date: not both")
        if timed and self.without is None:
            raise ValueError("say without what it fires, as in without: transfer.completed")
        if timed and self.for_ is None:
            raise ValueError("say for how long it waits, as in for: 30m")
        if not timed and (self.days is None or self.before is None):
            raise ValueError(
                "say days and before, as in days: 7, before: matures_on; or for and without"
            )
        return self
