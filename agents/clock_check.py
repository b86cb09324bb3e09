"""Whether this process has the clock of the bank's workers: vip.journal tells theirs.

With another clock events would seem to be of the future that are none, or the other way round.
"""

from datetime import datetime

from agents.clock import BankClock
from agents.core import core_settings
from agents.reading import newest
from config.settings import Settings
from schemas.envelope import from_millis
from schemas.position import JOURNAL_TOPIC, decode_position

AS_THE_WORKERS = (
    "Set VIPCARE_CLOCK__ORIGIN, VIPCARE_CLOCK__STARTED and VIPCARE_CLOCK__RATE as the workers have "
    "them"
)


class ClockError(Exception):
    """The clocks differ; what to set is in it."""


def checked_now(settings: Settings) -> int:
    """The bank's time, epoch milliseconds. Raises ClockError where the newest chunk of the journal
    was stepped at another time of the bank than this process thinks, and ReadingError."""
    clock, core = BankClock.from_settings(settings.clock), core_settings(settings)
    found = newest(settings.kafka, JOURNAL_TOPIC)
    if found is not None:
        there, here = decode_position(found.value or b"").now, clock.at(found.timestamp)
        if abs(here - there) > core.future_tolerance:
            times = (from_millis(at).astimezone(core.time_zone) for at in (here, there))
            raise ClockError(_differ(*times))
    return clock.now()


def _differ(here: datetime, there: datetime) -> str:
    return (
        f"the clock here is {'behind' if here < there else 'ahead of'} the workers': it was "
        f"{here:%Y-%m-%d %H:%M} here and {there:%Y-%m-%d %H:%M} there at the newest chunk of "
        f"vip.journal. {AS_THE_WORKERS}; `vipcare up` writes them into a file, and says which (`. "
        ".vipcare/env`)"
    )
