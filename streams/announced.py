"""What customers are told of: a message of `bank.campaign`, or a holiday of the calendar."""

import re
from datetime import UTC, datetime, time, tzinfo

from msgspec import Struct

from schemas.calendars import Holiday
from schemas.effects import Cause
from schemas.envelope import VIPCARE, Data, from_millis, to_millis
from schemas.events.campaign import Broadcast, HolidayApproaching, HolidayData
from streams.calendar import Calendar

NO_MESSAGE = -1
"""The offset of what no message told."""
_TOLD_AT = time(9)
_PUNCTUATION = re.compile(r"[^a-z0-9]+")


class Announced(Struct, frozen=True):
    """A broadcast, by the name of what it is about, such as `campaign:golf-2026`."""

    name: str
    type: str
    data: Data
    last_day: str
    """After it, nobody is told any more."""
    at: int
    """From then on it is told; epoch milliseconds."""
    cause: Cause
    """Of the calendar's holidays the topic is empty."""

    @property
    def offset(self) -> int:
        """Where the message stands that announced it, or NO_MESSAGE."""
        return self.cause.offset


def announced(fact: Broadcast, offset: int) -> Announced:
    at = to_millis(fact.time)
    cause = Cause(
        source=fact.source,
        id=fact.id,
        type=fact.event_type(),
        time=from_millis(at),
        topic=fact.topic,
        partition=0,
        offset=offset,
    )
    last_day: str = fact.data.last_day  # type: ignore[attr-defined]  # every broadcast's data has it
    return Announced(fact.subject, cause.type, fact.data, last_day, at, cause)


def holidays_ahead(calendar: Calendar, ahead: int, zone: tzinfo) -> tuple[Announced, ...]:
    """The calendar's holidays in the order of their times: so many business days before the first
    day off, at nine."""
    found = (_holiday(one, calendar, ahead, zone) for one in calendar.definition.holidays)
    return tuple(sorted(found, key=lambda one: (one.at, one.name)))


def _holiday(holiday: Holiday, calendar: Calendar, ahead: int, zone: tzinfo) -> Announced:
    told_on = calendar.business_days_before(holiday.first, ahead)
    slug = _PUNCTUATION.sub("-", holiday.name.en.lower()).strip("-")
    data = HolidayData(
        holiday=f"{holiday.day}-{slug}",
        title_zh=holiday.name.zh,
        title_en=holiday.name.en,
        day=str(holiday.day),
        first_day=str(holiday.first),
        last_day=str(holiday.last),
        business_days=ahead,
    )
    at = datetime.combine(told_on, _TOLD_AT, zone).astimezone(UTC)
    name, kind = f"{HolidayApproaching.kind()}:{data.holiday}", HolidayApproaching.event_type()
    cause = Cause(
        source=VIPCARE, id=name, type=kind, time=at, topic="", partition=0, offset=NO_MESSAGE
    )
    return Announced(name, kind, data, data.last_day, to_millis(at), cause)
