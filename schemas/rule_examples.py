"""What a rule's owner shows beside it: events that are given, and what is expected of the rule."""

from datetime import datetime
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from schemas.at_key import at_key
from schemas.effects import Action
from schemas.rule_parts import (
    LONGEST_DAYS,
    UNIT_SECONDS,
    Duration,
    NotBlank,
    Plain,
    Strict,
    Visible,
    Whole,
    bounded,
    named,
    seconds,
)


def _as_text(value: object) -> object:
    """YAML makes a number of 3, a day of 2026-03-01, and an instant of one with seconds."""
    return value if isinstance(value, str) or value is None else str(value)


FIRST_YEAR, LAST_YEAR = 1970, 2999


def _in_time(text: str) -> str:
    if text.startswith("+"):
        bounded(text[1:])
        return text
    try:
        year = datetime.fromisoformat(text).year
    except ValueError:
        raise ValueError(f"no calendar has {text}") from None
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"write a day from {FIRST_YEAR} to {LAST_YEAR}")
    return text


_TIME = r"D{4}-DD-DD([T ]DD:DD(:DD)?)?|\+D{1,5}[smhdw]".replace("D", "[0-9]")
Time = Annotated[
    str,
    BeforeValidator(_as_text),
    named(_TIME, "write a day, a day and a time, or a length: 2026-03-01, 2026-03-01 10:00, +2h"),
    Field(examples=["2026-03-01 10:00", "2026-03-01", "+2h"]),
    AfterValidator(_in_time),
]
"""By a clock that is never changed; or so long after the event before."""
Part = Annotated[str, BeforeValidator(_as_text)]
"""A part of a title or a text, in one of the languages; of a tag and the like, its whole name; of a
greeting the template's, or a part of its text."""


class Given(Strict):
    """An event, or several alike."""

    at: Time
    event: Annotated[str, Field(min_length=1, max_length=64)]
    with_: Annotated[dict[str, Any], Field(alias="with", default_factory=dict)]
    """Fields of its data. Texts that must be there and are not said are made up; numbers, days and
    choices must be said."""
    times: Annotated[Whole, Field(ge=1, le=1_000)] = 1
    every: Duration | None = None
    """From one of them to the next."""

    @model_validator(mode="after")
    def _spread(self) -> "Given":
        if (self.times > 1) != (self.every is not None):
            key = "times" if self.every is None else "every"
            raise at_key(key, "times and every go together, as in `times: 3, every: 5d`")
        if self.every and self.times * seconds(self.every) > LONGEST_DAYS * UNIT_SECONDS["d"]:
            raise at_key("every", f"all these times together take at most {LONGEST_DAYS}d")
        return self


class Expected(Strict):
    """One thing that the rule does."""

    task: Part | None = None
    alert: Part | None = None
    process: Part | None = None
    greeting: Part | None = None
    untag: Part | None = None
    tag: Part | None = None
    interest: Part | None = None
    note: Part | None = None
    at: Time | None = None
    """When; with it, what waits can be seen to come on its day. `+…` has no meaning here."""

    @model_validator(mode="after")
    def _one_thing(self) -> "Expected":
        if len(self._said()) != 1:
            raise ValueError(f"say one thing that is expected: {', '.join(get_args(Action))}")
        if self.at is not None and self.at.startswith("+"):
            raise at_key("at", "say when as a day, or a day and a time")
        return self

    @property
    def action(self) -> Action:
        return self._said()[0]

    @property
    def part(self) -> str:
        part: str = getattr(self, self.action)
        return part

    def _said(self) -> list[Action]:
        return [name for name in get_args(Action) if getattr(self, name) is not None]


class RuleExample(Strict):
    title: Annotated[str, Field(min_length=1, max_length=200), Visible, NotBlank, Plain]
    given: Annotated[list[Given], Field(min_length=1, max_length=100)]
    until: Time | None = None
    """So far time goes on after the last event, for what waits."""
    expect: Annotated[list[Expected], Field(max_length=100)]
    """In order; an empty list: nothing."""
