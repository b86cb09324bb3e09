"""What the customer does in the app and on the web."""

from schemas.activity import ActivitySection
from schemas.events.app import JourneyData, LoginData, PageData
from streams.fold.bounded import count_in, cut, gather
from streams.months import Moment

MAX_TOPICS = 40
MAX_JOURNEYS = 20


def logged_in(activity: ActivitySection, data: LoginData, when: Moment) -> None:
    visits = activity.visits
    visits.logins += 1
    visits.last_login_at = max(visits.last_login_at, when.at)
    visits.by_channel[data.channel] = visits.by_channel.get(data.channel, 0) + 1


def page_viewed(activity: ActivitySection, data: PageData, when: Moment) -> None:
    visits = activity.visits
    visits.pages += 1
    visits.last_page_at = max(visits.last_page_at, when.at)
    count_in(visits.by_topic, data.page_topic or "none", MAX_TOPICS)


def journey(activity: ActivitySection, data: JourneyData, _when: Moment, *, stage: int) -> None:
    """`stage` is where it is counted: started, completed, abandoned."""
    visits, name = activity.visits, cut(data.journey)
    known = name in visits.journeys
    counts = visits.journeys.setdefault(name, [0, 0, 0])
    counts[stage] += 1
    if not known:
        gather(visits.journeys, name, MAX_JOURNEYS, lambda: [0, 0, 0], _together)


def _together(one: list[int], other: list[int]) -> list[int]:
    return [mine + theirs for mine, theirs in zip(one, other, strict=True)]
