"""A storyline as a business reader writes it: who it needs, what happens when. Data, no behaviour.

agents/bank/README.md explains the file; storyline_file.py reads it, performance.py plays it.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agents.bank.merchants import TURNS
from agents.bank.money import ABROAD
from schemas.at_key import at_key
from schemas.rule_parts import Text

Span = Annotated[str, Field(pattern=r"^\d[\d_]*(\.\.\d[\d_]*)?( usual)?$")]
"""`300_000`, `230_000..620_000`, `9..18 usual` (times the customer's usual amount)."""
Times = Annotated[str, Field(pattern=r"^\d{1,3}(\.\.\d{1,3})?$")]
Wait = Annotated[str, Field(pattern=r"^\d{1,5}[smhdw]$")]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, coerce_numbers_to_str=True
    )


class PersonaNeeds(_Strict):
    """Who must play. What is not said here stays as the persona is."""

    tier: Literal["diamond", "platinum", "gold"] | None = None
    age: int | None = Field(None, ge=18, le=95)
    birthday_in_days: int | None = Field(None, ge=0, le=365)
    """Counted from the day on which the bank goes live."""
    married: bool | None = None
    child_age: int | None = Field(None, ge=0, le=30)
    """How old a child turns in this year; 0 is a baby of some months."""
    occupation: str | None = None
    abroad: str | None = None
    """The country that the customer has to do with."""
    usual: int | None = Field(None, ge=1_000, le=1_000_000)
    """The size of a usual transfer, in base currency."""
    funds: int | None = Field(None, ge=0)
    """So much at least is on the current account at the beginning, in base currency."""
    turn: str | None = None
    """What this life turns to."""
    tags: tuple[str, ...] | None = None
    quiet: bool | None = None
    """No ordinary life but payments by card: the storyline tells what happens."""
    asleep: bool | None = None
    """Of who is quiet: no payments by card either."""

    @model_validator(mode="after")
    def _known_words(self) -> "PersonaNeeds":
        if self.turn is not None and self.turn not in TURNS:
            raise at_key("turn", f"there are {', '.join(TURNS)}")
        if self.abroad is not None and self.abroad not in ABROAD:
            raise at_key("abroad", f"there are {', '.join(ABROAD)}")
        return self


class StoryStep(_Strict):
    """One event, or the same one several times."""

    event: str
    """Its type, such as `transfer.completed`."""
    day: int = Field(0, ge=-365, le=365)
    """0 is the day on which the storyline comes to a head; before it the days are negative."""
    at: Clock = "10:00"
    """The time of day, on days other than 0."""
    after: Wait = "0s"
    """On day 0: how long after the step before."""
    times: Times = "1"
    every: Wait = "1d"
    """Between one time and the next."""
    same: str | None = None
    """A name for the thing that this is about; steps with the same name are about the same one."""
    data: Mapping[str, Any] = Field(default_factory=dict, alias="with")
    """What the event says. What is left open is filled in, as for any event of the customer."""

    def place(self) -> tuple[int, str]:
        """Sorts steps; those of day 0 stay as they are."""
        return self.day, self.at if self.day else ""


class Storyline(_Strict):
    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
    scenario: int | None = Field(None, ge=1)
    """Its number in the library of scenarios, if it has one."""
    title: Text
    story: Text
    """What happens, in words."""
    portrait: bool = False
    """Whether `vipcare up` shows the customer who plays it first."""
    persona: PersonaNeeds = PersonaNeeds()
    steps: tuple[StoryStep, ...]

    @property
    def lead_days(self) -> int:
        """How many days before its head it begins."""
        return max(0, -self.steps[0].day)

    @model_validator(mode="after")
    def _in_order(self) -> "Storyline":
        if not self.steps:
            raise ValueError("steps: write at least one")
        for before, after in zip(self.steps, self.steps[1:], strict=False):
            if after.place() < before.place():
                raise ValueError(
                    f"steps: {after.event} on day {after.day} stands after day {before.day}; "
                    "write them in the order in which they happen"
                )
        return self


class Storylines(_Strict):
    """A file of them."""

    storylines: tuple[Storyline, ...]

    @model_validator(mode="after")
    def _once_each(self) -> "Storylines":
        ids = [one.id for one in self.storylines]
        if not ids:
            raise ValueError("storylines: write at least one")
        if double := next((one for one in ids if ids.count(one) > 1), None):
            raise ValueError(f"storylines: {double} is there twice")
        return self
