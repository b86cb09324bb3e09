"""How a rule waits: until some days before or after a date, or so long without an answer."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from schemas.at_key import at_key
from schemas.rule_parts import Duration, EventTypes, Expression, FieldName, Strict, Whole, named

NINE = "09:00"
BIRTHDAY = "birthday"
Every = Literal["year", "lunar year"]
DateName = Annotated[
    str, named(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?", "write what has the date, as in matures_on")
]
"""A field that holds a date, or an attribute: `attributes.x`."""

TimeOfDay = Annotated[
    str, named(r"([01][0-9]|2[0-3]):[0-5][0-9]", "write a time of day in quotes, as in '09:00'")
]


def _as_lists(values: object, *keys: str) -> object:
    """One alone is a list of one."""
    if not isinstance(values, dict):
        return values
    alone = {key: values[key] for key in keys if isinstance(values.get(key), str | int)}
    return {**values, **{key: [value] for key, value in alone.items()}}


class Without(Strict):
    """The events that answer the one that a rule waits after."""

    on: EventTypes
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
        return _as_lists(values, "same")


class Wait(Strict):
    """Either: some days before or after a date, the condition is looked at as things are by then.
    Or: the condition is looked at when the event comes, and the rule fires `for` so long after it
    if nothing of `without` came by then.
    """

    for_: Annotated[Duration | None, Field(alias="for")] = None
    without: Without | None = None
    days: Annotated[Whole | None, Field(ge=0, le=3_650)] = None
    business_days: Annotated[Whole | None, Field(ge=0, le=250)] = None
    """Instead of `days`."""
    before: Annotated[DateName | None, Field(examples=["matures_on"])] = None
    """What holds the date: a field of the event, or of the customer."""
    after: DateName | None = None
    """Instead of `before`."""
    at: Annotated[
        str, named(r"([01][0-9]|2[0-3]):[0-5][0-9]", "write a time of day as '09:00'")
    ] = NINE
    """The time of that day, in the bank's time zone."""
    every: Every | None = None
    """The date comes back each year."""
    of: Annotated[list[str] | None, Field(min_length=1, max_length=20)] = None
    """Whose birthday it is: what they are to the customer; the customer's own if left out."""
    turns: Annotated[
        list[Annotated[Whole, Field(ge=1, le=150)]] | None, Field(min_length=1, max_length=20)
    ] = None
    """In these years alone, counted from the date."""

    @model_validator(mode="before")
    @classmethod
    def _one_or_several(cls, values: object) -> object:
        return _as_lists(values, "of", "turns")

    @property
    def date(self) -> str:
        """What holds the date."""
        return self.before or self.after or ""

    @model_validator(mode="after")
    def _one_way(self) -> "Wait":
        timed = self.for_ is not None or self.without is not None
        dated = {key: getattr(self, key) for key in _DATED if getattr(self, key) is not None}
        if timed and (dated or self.at != NINE):
            raise ValueError("for and without say a time, days, before and at a date: not both")
        if timed and self.without is None:
            raise ValueError("say without what it fires, as in without: transfer.completed")
        if timed and self.for_ is None:
            raise ValueError("say for how long it waits, as in for: 30m")
        if not timed:
            self._check_date()
        return self

    def _check_date(self) -> None:
        if (self.days is None) == (self.business_days is None) or bool(self.before) == bool(
            self.after
        ):
            raise ValueError(
                "say days or business_days, and before or after what, as in days: 7, "
                "before: matures_on; or for and without"
            )
        if self.date == BIRTHDAY and self.every is None:
            key = "before" if self.before else "after"
            raise at_key(key, "a birthday comes every year: say every: year")
        if self.of is not None and self.date != BIRTHDAY:
            raise at_key("of", "of says whose birthday it is")
        if self.turns is not None and self.every != "year":
            raise at_key("turns", "turns counts years: say every: year")
        if self.every is not None and (self.days or 0) > MAX_YEARLY_DAYS:
            raise at_key("days", f"every year, at most {MAX_YEARLY_DAYS} days")


def is_yearly(wait: Mapping[str, object]) -> bool:
    """Whether a wait, as it is written, is for a date that comes back; a birthday always does."""
    return wait.get("every") is not None or BIRTHDAY in (wait.get("before"), wait.get("after"))


MAX_YEARLY_DAYS = 300
_DATED = ("days", "business_days", "before", "after", "every", "of", "turns")
