"""`bank.campaign`: what every customer is told of, so that rules may do something about it.

Each partition's customers are walked through once for each, from its `time` on, which may lie
ahead. The `subject` is what it is about, such as `campaign:golf-2026`, and the Kafka key too.
"""

from typing import get_args

from schemas.envelope import Data
from schemas.events.fact import Fact
from schemas.fields import Day, Id, Money, Name, Whole


class Broadcast(Fact, frozen=True):
    """Told once to every customer. Later words of the same subject correct it; a message without a
    value takes it back, as far as it was not told yet."""

    topic = "bank.campaign"


class CampaignData(Data, kw_only=True, frozen=True):
    campaign: Id
    category: Name
    """What it is: golf, concert, fund-launch, …"""
    title_zh: Name
    title_en: Name
    starts_on: Day
    ends_on: Day
    """After this day it is over, and nobody is told any more."""
    audience: Name | None = None
    """A tag: those who have it are meant."""
    place: Name | None = None
    seats: Whole | None = None
    base_cost: Money | None = None
    """For each guest, in the bank's base currency."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.ends_on < self.starts_on:
            raise ValueError("ends_on is before starts_on")

    @property
    def last_day(self) -> str:
        return self.ends_on


class CampaignAnnounced(Broadcast, tag="campaign.announced", frozen=True):
    data: CampaignData


class HolidayData(Data, kw_only=True, frozen=True):
    """A public holiday ahead."""

    holiday: Id
    title_zh: Name
    title_en: Name
    day: Day
    """The holiday's own."""
    first_day: Day
    """The first day off."""
    last_day: Day
    """The last day off. After it, nobody is told any more."""
    business_days: Whole
    """How many business days before the first day off it is told."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.first_day <= self.day <= self.last_day:
            raise ValueError("day is not within first_day and last_day")


class HolidayApproaching(Broadcast, tag="holiday.approaching", frozen=True):
    """Those of the calendar are told without a message, see streams/announced.py."""

    data: HolidayData


AnyBroadcast = CampaignAnnounced | HolidayApproaching

BROADCAST_TYPES: dict[str, type[Broadcast]] = {
    cls.event_type(): cls for cls in get_args(AnyBroadcast)
}
"""CloudEvents `type` → its struct."""

CAMPAIGNS = Broadcast.topic
