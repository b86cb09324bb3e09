"""A rule as its owner writes it: `if … then …` as data. Unknown keys are errors.

The expressions are text here; streams/rules checks and compiles them.
"""

from datetime import date
from functools import cached_property
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, field_validator, model_validator

from schemas.at_key import at_key
from schemas.attachments import Attachment
from schemas.consents import Channel, Purpose
from schemas.effects import Action, Kind, Priority, RecordAction
from schemas.rule_examples import RuleExample
from schemas.rule_parts import (
    EventTypes,
    Expression,
    FieldName,
    Id,
    NotBlank,
    Plain,
    Span,
    Strict,
    Text,
    Visible,
    Whole,
    Word,
)
from schemas.rule_scores import Score
from schemas.rule_sequences import Sequence
from schemas.rule_waits import Wait, is_yearly

Status = Literal["draft", "shadow", "live", "retired"]


MAX_VERSION = 2_000_000_000


def _countable(version: int) -> int:
    if version > MAX_VERSION:
        raise ValueError(f"at most {MAX_VERSION:,}: count versions 1, 2, 3, a time is none")
    return version


Version = Annotated[Whole, Field(ge=1), AfterValidator(_countable)]


def _once(wanted: list[Attachment]) -> list[Attachment]:
    if len({*wanted}) < len(wanted):
        raise ValueError("name each attachment once")
    return wanted


Attach = Annotated[list[Attachment], AfterValidator(_once), Field(default_factory=list)]


class TaskTemplate(Strict):
    """Something for the relationship manager to do."""

    title: Text | None = None
    text: Text
    priority: Priority = "normal"
    due: Span | None = None
    """After the event."""
    attach: Attach


class AlertTemplate(Strict):
    """Something to know and to watch."""

    title: Text | None = None
    text: Text
    severity: Priority = "normal"
    attach: Attach


class ProcessTemplate(Strict):
    """A process to start."""

    name: Word
    text: Text | None = None


class GreetingAction(Strict):
    """One of the greeting templates of an occasion, for whoever sends it."""

    occasion: Word
    channels: Annotated[list[Channel], Field(min_length=1)]
    """The best first. Those that the customer refused are left out."""
    purpose: Purpose = "marketing"
    """The consents that count."""


class NoteTemplate(Strict):
    """An entry of the service line."""

    about: Word
    """What the record keeps of it."""
    text: Text


Template = TaskTemplate | AlertTemplate | ProcessTemplate | NoteTemplate


class Limit(Strict):
    """For a customer at most so often within so long (event time)."""

    times: Annotated[Whole, Field(ge=1, le=100)]
    within: Span


class Active(Strict):
    """From the beginning of one day to the end of another, in the bank's time zone."""

    from_: Annotated[date | None, Field(alias="from")] = None
    until: date | None = None

    @model_validator(mode="after")
    def _forward(self) -> "Active":
        if self.from_ is None and self.until is None:
            raise ValueError("say from or until which day, or both")
        if self.from_ and self.until and self.until < self.from_:
            raise at_key("until", "until comes before from")
        return self


class Then(Strict):
    task: TaskTemplate | None = None
    alert: AlertTemplate | None = None
    process: ProcessTemplate | None = None
    greeting: GreetingAction | None = None
    untag: Word | None = None
    tag: Word | None = None
    interest: Word | None = None
    note: NoteTemplate | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _one_of_a_kind(cls, value: object) -> object:
        if isinstance(value, list):
            raise ValueError(  # noqa: TRY004  # Pydantic tells only this one
                "one alone, no list: a second one is done by a rule of its own"
            )
        return value

    @model_validator(mode="after")
    def _does_something(self) -> "Then":
        if not self.actions:
            raise ValueError(f"say what to do, one or several of {', '.join(get_args(Action))}")
        if self.tag is not None and self.tag == self.untag:
            raise at_key("untag", "a rule cannot add a tag and remove it at once")
        return self

    @cached_property
    def actions(self) -> list[Action]:
        """What is to be done, in the order in which it is done."""
        return [name for name in get_args(Action) if getattr(self, name) is not None]

    @cached_property
    def templates(self) -> dict[Action, Template]:
        """Those actions that say something."""
        said = {name: getattr(self, name) for name in self.actions}
        return {name: one for name, one in said.items() if isinstance(one, Template)}

    @cached_property
    def changes_the_record(self) -> bool:
        return any(name in get_args(RecordAction) for name in self.actions)


class RuleDefinition(Strict):
    id: Id
    version: Version
    title: Text
    kind: Kind
    owner: Annotated[str, Field(min_length=1, max_length=100), Visible, NotBlank, Plain]
    status: Status
    on: EventTypes
    """The event types that can make it fire."""
    sequence: Sequence | None = None
    """What must have come before."""
    wait: Wait | None = None
    """It fires only later, if at all."""
    score: Score | None = None
    """It fires when this is high, once until it is low again."""
    let: dict[FieldName, Expression] = Field(default_factory=dict, max_length=40)
    if_: Annotated[Expression, Field(alias="if")]
    unless: Expression | None = None
    """Not if this is true; what is unknown does not hinder."""
    then: Then
    cooldown: Span | None = None
    """After firing for a customer, not again for so long (event time)."""
    limit: Limit | None = None
    rollout: Annotated[Whole, Field(ge=1, le=100)] = 100
    """For so many percent of the customers, always the same ones."""
    holdout: Annotated[Whole, Field(ge=1, le=90)] | None = None
    """For so many percent of the customers, always the same ones, what it would do is not done and
    recorded instead, so that its effect can be measured."""
    active: Active | None = None
    amendable: Annotated[bool, Field(strict=True)] = False
    """What it did follows when an event is reversed or comes late: it is amended, retracted, or
    raised afterwards."""
    examples: Annotated[list[RuleExample], Field(max_length=50, default_factory=list)]

    @model_validator(mode="after")
    def _help_is_not_withheld(self) -> "RuleDefinition":
        if self.holdout is not None and self.kind in ("risk", "service"):
            message = f"a {self.kind} rule has no holdout: its help is not withheld"
            raise at_key("holdout", message)
        return self

    @model_validator(mode="before")
    @classmethod
    def _a_score_needs_no_condition(cls, values: object) -> object:
        if isinstance(values, dict) and values.get("score") is not None:
            return {"if": "true", **values}
        return values

    @model_validator(mode="before")
    @classmethod
    def _years_come_by_themselves(cls, values: object) -> object:
        """What tells the customer's dates is one type, so it need not be said."""
        wait = values.get("wait") if isinstance(values, dict) else None
        if isinstance(values, dict) and isinstance(wait, dict) and is_yearly(wait):
            return {"on": ["customer.updated"], **values}
        return values
