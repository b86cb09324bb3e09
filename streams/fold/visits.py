"""Logins and page views."""

from schemas.events.app import LoginData, PageData
from schemas.record import ProfileSection
from streams.fold.bounded import count_in

MAX_TOPICS = 40


def logged_in(profile: ProfileSection, data: LoginData, at: int) -> None:
    visits = profile.visits
    visits.logins += 1
    visits.last_login_at = max(visits.last_login_at, at)
    visits.by_channel[data.channel] = visits.by_channel.get(data.channel, 0) + 1


def page_viewed(profile: ProfileSection, data: PageData, at: int) -> None:
    visits = profile.visits
    visits.pages += 1
    visits.last_page_at = max(visits.last_page_at, at)
    count_in(visits.by_topic, data.page_topic or "none", MAX_TOPICS)
