"""`bank.app`: what a customer does in the mobile app and on the web."""

from typing import Literal

from schemas.envelope import Data, Event
from schemas.fields import Id, Money, Name, PersonalText, Whole


class AppEvent(Event, frozen=True):
    topic = "bank.app"


class LoginData(Data, kw_only=True, frozen=True):
    channel: Literal["app", "web"]
    device: Id | None = None


class LoggedIn(AppEvent, tag="logged.in", frozen=True):
    data: LoginData


class PageData(Data, kw_only=True, frozen=True):
    page: Name
    page_topic: Name | None = None
    product: Id | None = None
    seconds: Whole | None = None


class PageViewed(AppEvent, tag="page.viewed", frozen=True):
    data: PageData


class JourneyData(Data, kw_only=True, frozen=True):
    """A piece of business on the way: opening an account, buying a product, exchanging money."""

    journey: Name
    attempt: Id
    step: Name | None = None
    product: Id | None = None
    amount: Money | None = None


class JourneyStarted(AppEvent, tag="journey.started", frozen=True):
    data: JourneyData


class JourneyCompleted(AppEvent, tag="journey.completed", frozen=True):
    data: JourneyData


class JourneyAbandoned(AppEvent, tag="journey.abandoned", frozen=True):
    data: JourneyData


class QuestionData(Data, kw_only=True, frozen=True):
    about: Name
    text: PersonalText | None = None


class QuestionAsked(AppEvent, tag="question.asked", frozen=True):
    data: QuestionData


AppEvents = (
    LoggedIn | PageViewed | JourneyStarted | JourneyCompleted | JourneyAbandoned | QuestionAsked
)
