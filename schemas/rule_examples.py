"""What a rule's owner shows beside it: events that are given, and what is expected of the rule."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from schemas.effects import Action
from schemas.rule_parts import Duration, Strict


def _as_text(value: object) -> object:
    """YAML makes a number of 3, a day of 2026-03-01, and an instant of one with seconds."""
    return value if isinstance(value, str) or value is None else str(value)


Time = Annotated[
    str,
    BeforeValidator(_as_text),
    Field(
        pattern=r"^(\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?)?|\+\d{1,5}[smhdw])$",
        examples=["2026-03-01 10:00", "2026-03-01", "+2h"],
    ),
]
"""In the bank's time zone; or so long after the event before."""
Part = Annotated[str, BeforeValidator(_as_text)]
"""A part of a title or a text, in one of the languages."""


class Given(Strict):
    """An event, or several alike."""

    at: Time
    event: Annotated[str, Field(min_length=1, max_length=64)]
    with_: Annotated[dict[str, Any], Field(alias="with", default_factory=dict)]
    """Fields of its data. Texts that must be there and are not said are made up."""
    times: Annotated[int, Field(ge=1, le=1_000)] = 1
    every: Duration | None = None
    """From one of them to the next."""

    @model_validator(mode="after")
    def _spread(self) -> "Given":
        if (self.times > 1) != (self.every is not None):
            raise ValueError("times and every go together, as in `times: 3, every: 5d`")
        return self


class Expected(Strict):
    """A task or an alert of the rule."""

    task: Part | None = None
    alert: Part | None = None
    at: Time | None = None
    """When; with it, what waits can be seen to come on its day. `+…` has no meaning here."""

    @model_validator(mode="after")
    def _one_thing(self) -> "Expected":
        if (self.task is None) == (self.alert is None):
            raise ValueError("say what is expected: a task, or an alert")
        if self.at is not None and self.at.startswith("+"):
            raise ValueError("say when as a day, or a day and a time")
        return self

    @property
    def action(self) -> Action:
        return "alert" if self.task is None else "task"

    @property
    def part(self) -> str:
        return (self.alert if self.task is None else self.task) or ""


class RuleExample(Strict):
    title: Annotated[str, Field(min_length=1, max_length=200)]
    given: Annotated[list[Given], Field(min_length=1, max_length=100)]
    until: Time | None = None
    """So far time goes on after the last event, for what waits."""
    expect: Annotated[list[Expected], Field(max_length=100)]
    """In order; an empty list: nothing."""
