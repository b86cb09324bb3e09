"""What vipcare sends: tasks, alerts, customer summaries, dead letters.

An effect is a CloudEvent like the events are. Its message `id` names this version of it; its
`task_id` or `alert_id` names the thing, which later versions amend or retract.
"""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from schemas.envelope import CustomerId, EventId
from schemas.fields import Id, Instant, Money, Name, PersonalText

Kind = Literal["care", "opportunity", "risk", "service"]
Priority = Literal["low", "normal", "high", "urgent"]
Change = Literal["raised", "amended", "retracted"]

Text = dict[str, str]
"""Language (zh, en) → text."""


class Cause(Struct, frozen=True, kw_only=True, gc=False):
    """The event that made an effect, by its own name and by its place in Kafka."""

    source: EventId
    id: EventId
    type: Name
    time: Instant
    topic: str
    partition: int
    offset: int


class RuleRef(Struct, frozen=True, kw_only=True, gc=False):
    id: Id
    version: int


class TaskData(Struct, frozen=True, kw_only=True, gc=False):
    task_id: Id
    version: int
    state: Literal["open", "closed"]
    change: Change
    kind: Kind
    priority: Priority
    title: Text
    text: Text
    """What to do, with the values filled in."""
    rm: Id | None
    tier: Name | None
    due: Instant | None
    rule: RuleRef
    values: dict[str, str]
    """The values that made the rule fire, by the names the rule gives them."""
    waited_until: Instant | None
    """Of a rule that waits after its event: when the wait ended."""
    cause: Cause


class AlertData(Struct, frozen=True, kw_only=True, gc=False):
    alert_id: Id
    version: int
    state: Literal["open", "closed"]
    change: Change
    kind: Kind
    severity: Priority
    title: Text
    text: Text
    rm: Id | None
    tier: Name | None
    rule: RuleRef
    values: dict[str, str]
    waited_until: Instant | None
    cause: Cause


class ProfileData(Struct, frozen=True, kw_only=True, gc=False):
    """The customer as a summary; sent only when one of these fields changed."""

    version: int
    name: PersonalText | None
    tier: Name | None
    rm: Id | None
    residence: Name | None
    language: Name | None
    opened_on: str | None
    tags: list[str]
    accounts: int
    base_balance: Money
    deposits: int
    base_deposits: Money
    next_maturity: str | None
    cause: Cause


class Message(Struct, frozen=True, kw_only=True, gc=False, tag_field="type"):
    id: EventId
    source: EventId
    subject: CustomerId
    time: datetime
    """The time of what caused it, so that a replay gives the same message."""
    specversion: Literal["1.0"] = "1.0"
    datacontenttype: Literal["application/json"] = "application/json"

    def __repr__(self) -> str:
        """Coordinates only: the data may identify a person."""
        return f"{type(self).__name__}(id={self.id!r})"


class Task(Message, tag="vip.task", frozen=True, kw_only=True):
    data: TaskData


class Alert(Message, tag="vip.alert", frozen=True, kw_only=True):
    data: AlertData


class Profile(Message, tag="vip.profile", frozen=True, kw_only=True):
    data: ProfileData


Effect = Task | Alert | Profile

TOPIC_OF: dict[type[Effect], str] = {
    Task: "vip.tasks",
    Alert: "vip.alerts",
    Profile: "vip.profiles",
}

_encoder = msgspec.json.Encoder(decimal_format="string")
encode_effect = _encoder.encode
decode_effect = msgspec.json.Decoder(Effect).decode
