"""`bank.service`: complaints, suggestions, calls, visits, messages, surveys, from every channel."""

from typing import Literal

from schemas.envelope import Data, Event
from schemas.fields import Id, Name, PersonalText, Whole


class ServiceEvent(Event, frozen=True):
    topic = "bank.service"


class CaseData(Data, kw_only=True, frozen=True):
    case: Id
    about: Name
    channel: Name
    severity: Literal["low", "normal", "high"] = "normal"
    text: PersonalText | None = None


class ComplaintRaised(ServiceEvent, tag="complaint.raised", frozen=True):
    data: CaseData


class SuggestionRaised(ServiceEvent, tag="suggestion.raised", frozen=True):
    data: CaseData


class CallData(Data, kw_only=True, frozen=True):
    call: Id
    about: Name | None = None
    seconds: Whole | None = None
    handled_by: Id | None = None


class CallReceived(ServiceEvent, tag="call.received", frozen=True):
    data: CallData


class VisitData(Data, kw_only=True, frozen=True):
    branch: Id
    about: Name | None = None


class BranchVisited(ServiceEvent, tag="branch.visited", frozen=True):
    data: VisitData


class MessageData(Data, kw_only=True, frozen=True):
    channel: Literal["wechat", "mail", "sms", "other"]
    about: Name | None = None
    text: PersonalText | None = None


class MessageReceived(ServiceEvent, tag="message.received", frozen=True):
    """The customer wrote to the bank."""

    data: MessageData


class RmContactData(Data, kw_only=True, frozen=True):
    rm: Id
    channel: Name
    about: Name | None = None


class RmContacted(ServiceEvent, tag="rm.contacted", frozen=True):
    """The relationship manager was in touch with the customer, of their own accord or to answer."""

    data: RmContactData


class SurveyData(Data, kw_only=True, frozen=True):
    survey: Id
    score: Whole
    best: Whole = 10
    text: PersonalText | None = None


class SurveyAnswered(ServiceEvent, tag="survey.answered", frozen=True):
    data: SurveyData


ServiceEvents = (
    ComplaintRaised
    | SuggestionRaised
    | CallReceived
    | BranchVisited
    | MessageReceived
    | RmContacted
    | SurveyAnswered
)
