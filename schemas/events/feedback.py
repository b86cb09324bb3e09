"""`crm.feedback`: what became of a task, reported by the CRM."""

from typing import Literal

from schemas.envelope import Data, Event
from schemas.fields import Currency, Id, Money, Name, PersonalText


class FeedbackEvent(Event, frozen=True):
    topic = "crm.feedback"


class TaskFeedbackData(Data, kw_only=True, frozen=True):
    task: Id
    by: Id
    reason: Name | None = None
    note: PersonalText | None = None


class TaskAccepted(FeedbackEvent, tag="task.accepted", frozen=True):
    data: TaskFeedbackData


class TaskStarted(FeedbackEvent, tag="task.started", frozen=True):
    data: TaskFeedbackData


class TaskCompleted(FeedbackEvent, tag="task.completed", frozen=True):
    data: TaskFeedbackData


class TaskDeclined(FeedbackEvent, tag="task.declined", frozen=True):
    data: TaskFeedbackData


class ContactData(Data, kw_only=True, frozen=True):
    task: Id | None = None
    by: Id
    channel: Name
    reached: bool
    note: PersonalText | None = None


class ContactMade(FeedbackEvent, tag="contact.made", frozen=True):
    """Somebody of the bank tried to reach the customer; `reached` says whether they did."""

    data: ContactData


class OutcomeData(Data, kw_only=True, frozen=True):
    task: Id
    by: Id
    outcome: Literal["won", "lost", "resolved", "no_interest", "other"]
    product: Id | None = None
    amount: Money | None = None
    currency: Currency | None = None
    base_amount: Money | None = None


class OutcomeRecorded(FeedbackEvent, tag="outcome.recorded", frozen=True):
    data: OutcomeData


FeedbackEvents = (
    TaskAccepted | TaskStarted | TaskCompleted | TaskDeclined | ContactMade | OutcomeRecorded
)
