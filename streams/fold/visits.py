"""Logins and page views."""

from schemas.activity import ActivitySection
from schemas.events.app import LoginData, PageData
from streams.fold.bounded import count_in

MAX_TOPICS = 40


def logged_in(activity: ActivitySection, data: LoginData, at: int) -> None:
    visits = activity.visits
    visits.logins += 1
    visits.last_login_at = max(visits.last_login_at, at)
    visits.by_channel[data.channel] = visits.by_channel.get(data.channel, 0) + 1


def page_viewed(activity: ActivitySection, data: PageData, at: int) -> None:
    visits = activity.visits
    visits.pages += 1
    visits.last_page_at = max(visits.last_page_at, at)
    count_in(visits.by_topic, data.page_topic or "none", MAX_TOPICS)
