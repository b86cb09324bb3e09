"""What vipcare sends: tasks, alerts, actions, decisions, customer summaries, dead letters.

An effect is a CloudEvent like the events are. Its message `id` names this version of it; its
`task_id` or `alert_id` names the thing, which later versions amend or retract.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import Struct

from schemas.attachments import Attachments
from schemas.envelope import CustomerId, EventId
from schemas.fields import Id, Instant, Money, Name, PersonalText

Kind = Literal["care", "opportunity", "risk", "service"]
Priority = Literal["low", "normal", "high", "urgent"]
Change = Literal["raised", "amended", "retracted"]
RecordAction = Literal["untag", "tag", "interest", "note"]
"""What a rule does to the record itself."""
Action = Literal["task", "alert", "process", "greeting", RecordAction]
"""What a rule may do, in the order in which one rule does it."""
Withheld = Literal["shadow", "held_out"]
"""Why what a rule does was not done: it is on trial, or the customer is one of those for whom it is
withheld, so that its effect can be measured."""
Outcome = Literal[Withheld, "refused"]
"""Of a decision; refused is a greeting by the customer, on all channels that there were for it."""

Text = dict[str, str]
"""Language (zh, en) → text."""


class Cause(Struct, frozen=True, kw_only=True, gc=False):
    """The event that made an effect, by its own name and by its place in Kafka; the topic is empty
    where no message told of it, as of a holiday of the calendar."""

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
    attachments: Attachments | None = None
    late: bool = False
    """This version came about because another event came late, or was reversed: that is `cause`."""
    warm: bool = True
    """The rule's windows held all that it looks back at; if not, it is too young for that, and the
    values may lack what happened before."""


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
    attachments: Attachments | None = None
    late: bool = False
    warm: bool = True


class ActionData(Struct, frozen=True, kw_only=True, gc=False):
    """What a rule did by itself, because of what."""

    action_id: Id
    action: Literal[RecordAction, "greeting"]
    name: Name
    """The tag, the interest, what a note is about; the template of a greeting."""
    changed: bool
    """False where there was nothing to do: the customer has the tag already, say."""
    kind: Kind
    title: Text
    """Of the rule."""
    text: Text
    """What a note says; a greeting in the one language that was chosen for the customer."""
    rm: Id | None
    tier: Name | None
    rule: RuleRef
    values: dict[str, str]
    waited_until: Instant | None
    cause: Cause
    occasion: Name | None = None
    """Of a greeting."""
    channels: list[Name] = []
    """Of a greeting: those that it may take, the best first."""
    warm: bool = True


class ProcessData(Struct, frozen=True, kw_only=True, gc=False):
    """A process that a rule asks for."""

    process_id: Id
    process: Name
    kind: Kind
    title: Text
    """Of the rule."""
    text: Text
    """What it is about; empty if the rule does not say."""
    rm: Id | None
    tier: Name | None
    rule: RuleRef
    values: dict[str, str]
    waited_until: Instant | None
    cause: Cause
    warm: bool = True


class DecisionData(Struct, frozen=True, kw_only=True, gc=False):
    """What a rule would have done."""

    decision_id: Id
    outcome: Outcome
    actions: list[Action]
    kind: Kind
    title: Text
    """Of the first action; so is the text, empty where that has none."""
    text: Text
    rm: Id | None
    tier: Name | None
    rule: RuleRef
    values: dict[str, str]
    waited_until: Instant | None
    cause: Cause
    warm: bool = True


class CardDetails(Struct, frozen=True, kw_only=True, gc=False):
    """A card as it was told last. What is paid with it is not here: that changes all the time."""

    card: Id
    product: str
    currency: str
    limit: Money | None
    limit_until: str | None
    """The day until which a temporary limit holds; after it that of `standing_limits` does."""
    amount_due: Money | None
    """Of the last statement; None if there was none."""
    due_on: str | None


class ProfileData(Struct, frozen=True, kw_only=True, gc=False):
    """The whole customer as a summary; sent only when one of these fields changed.

    `base_` amounts are in the bank's base currency. Those of a quarter are of the last three whole
    calendar months.
    """

    version: int
    name: PersonalText | None
    tier: Name | None
    rm: Id | None
    residence: Name | None
    language: Name | None
    opened_on: str | None
    tags: list[str]
    """Sorted; so are interests."""
    accounts: int
    base_balance: Money
    deposits: int
    base_deposits: Money
    next_maturity: str | None
    cause: Cause
    occupation: Name | None = None
    family: int = 0
    """How many members are known."""
    consents_given: list[str] = []
    """`purpose/channel`, sorted; likewise those refused."""
    consents_refused: list[str] = []
    interests: list[str] = []
    relations: list[str] = []
    """`other relation`, sorted; `other <relation` is what the customer is to the other one."""
    holdings: int = 0
    base_wealth: Money = Decimal(0)
    base_funds: Money = Decimal(0)
    base_insurance: Money = Decimal(0)
    base_other: Money = Decimal(0)
    """Products of other classes."""
    loans: int = 0
    base_loans: Money = Decimal(0)
    """What is still owed."""
    base_assets: Money = Decimal(0)
    base_net: Money = Decimal(0)
    """Assets less loans."""
    assets_by_month: dict[str, Money] = {}
    """Month (2026-03) → assets at its end; of the newest as they are now."""
    cards: int = 0
    base_inflow: Money = Decimal(0)
    """Transfers in, in the quarter."""
    base_outflow: Money = Decimal(0)
    base_spent: Money = Decimal(0)
    """Card payments in the quarter."""
    categories: list[str] = []
    """Merchant categories with the highest spending in the quarter, the first first."""
    regular_inflows: int = 0
    """Of one sender, about the same amount month after month: a salary, a rent."""
    base_regular_inflow: Money = Decimal(0)
    """What they bring in a month."""
    contacts: int = 0
    """Entries of the service line, those that fell off included."""
    last_contact_at: Instant | None = None
    benefits: int = 0
    """How often one was used."""
    base_benefit_cost: Money = Decimal(0)
    base_contribution: Money = Decimal(0)
    """What the customer brings in a year: an estimate, see streams/contribution.py."""
    attributes: dict[str, str] = {}
    """The bank's own fields that are declared and not sensitive, by name: numbers and days as text,
    true or false, a list as JSON."""
    interest_sources: dict[str, str] = {}
    """Interest → who said so last, where that is known."""
    loans_by_month: dict[str, Money] = {}
    """Month → what was owed at its end; of the newest as it is now. Empty without loans."""
    card_details: list[CardDetails] = []
    """Sorted by card."""
    benefit_uses: dict[str, int] = {}
    """Benefit → how often it was used; those beyond the limit together as `other`."""
    base_benefit_costs: dict[str, Money] = {}
    """Benefit → what that cost, where it cost something."""
    standing_limits: dict[str, Money] = {}
    """Card with a temporary limit → the limit that holds after it, in the card's currency; those of
    which it is known."""
    dropped: dict[str, int] = {}
    """What the record keeps no longer (accounts, holdings, …) → how many; the sums lack it."""
    scores: dict[str, int] = {}
    """Score → its points, sorted by name."""
    high_scores: list[str] = []
    """Those whose rule has fired and that were not low since, sorted."""


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


class ActionTaken(Message, tag="action.taken", frozen=True, kw_only=True):
    data: ActionData


class ProcessRequested(Message, tag="process.requested", frozen=True, kw_only=True):
    data: ProcessData


class Decision(Message, tag="vip.decision", frozen=True, kw_only=True):
    data: DecisionData


class Profile(Message, tag="vip.profile", frozen=True, kw_only=True):
    data: ProfileData


Effect = Task | Alert | ActionTaken | ProcessRequested | Decision | Profile


def is_new(effect: Effect) -> bool:
    """Whether it is no later version of a task or an alert."""
    return not isinstance(effect, Task | Alert) or effect.data.change == "raised"


TOPIC_OF: dict[type[Effect], str] = {
    Task: "vip.tasks",
    Alert: "vip.alerts",
    ActionTaken: "vip.actions",
    ProcessRequested: "vip.actions",
    Decision: "vip.decisions",
    Profile: "vip.profiles",
}
EFFECT_TOPICS = tuple(dict.fromkeys(TOPIC_OF.values()))


class _EncodedProfile(Message, tag="vip.profile", frozen=True, kw_only=True):
    data: msgspec.Raw


_encoder = msgspec.json.Encoder(decimal_format="string")
encode_effect = _encoder.encode
encode_profile_data = _encoder.encode


def encode_profile(profile: Profile, data: bytes) -> bytes:
    """What `encode_effect` makes of a profile whose data is encoded already."""
    return _encoder.encode(
        _EncodedProfile(
            id=profile.id,
            source=profile.source,
            subject=profile.subject,
            time=profile.time,
            data=msgspec.Raw(data),
        )
    )


decode_effect = msgspec.json.Decoder(Effect).decode
