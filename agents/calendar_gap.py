"""What a bank's calendar does not tell of the days ahead."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from agents.clock import BankClock
from agents.core import bank_calendar
from config.settings import Settings
from schemas.envelope import from_millis

AHEAD_DAYS = 60
"""So far ahead rules commonly count business days."""


def calendar_gap(settings: Settings) -> str:
    """One line about the first year ahead of which not all is known; empty if there is none.

    Raises CalendarFileErrors.
    """
    return gap_from(settings, bank_date(settings))


def bank_date(settings: Settings) -> date:
    """Today, by the bank's clock."""
    now = BankClock.from_settings(settings.clock).now()
    return from_millis(now).astimezone(ZoneInfo(settings.step.time_zone)).date()


def gap_from(settings: Settings, today: date) -> str:
    """The same on any day."""
    calendar = bank_calendar(settings).definition
    where = settings.step.calendar or "the calendar that is shipped"
    for year in dict.fromkeys((today.year, (today + timedelta(AHEAD_DAYS)).year)):
        match calendar.coverage(year):
            case "none":
                return f"{where} does not tell of {year}: its weekends alone count as days off"
            case "expected":
                return (
                    f"{where} has the holidays of {year} as the law has them: "
                    "what is announced for it, make-up workdays above all, is not in it yet"
                )
            case "announced":
                pass
    return ""
