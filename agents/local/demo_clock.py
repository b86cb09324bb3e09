"""The clock of the demo: when the simulated bank goes live, and how fast its time passes.

What rules wait for should come whatever day it is, and while somebody looks: the bank goes live
shortly before its customers are told of the calendar's next public holiday, and a minute passes in
a second.
"""

from datetime import datetime
from typing import Any

from agents.core import core_settings
from config.settings import Settings
from schemas.envelope import from_millis, to_millis
from schemas.events.campaign import HolidayData

DEMO_RATE = 60.0
TOLD_AFTER_S = 40.0
"""So many real seconds after the bank went live its customers are told of the holiday."""
_TOMB_SWEEPING = ("清明", "清明节")
"""Nobody is congratulated on it."""


def demo_clock(settings: Settings, now: datetime, rate: float | None) -> dict[str, Any]:
    """The section `clock` of the settings. Raises FileErrors.

    Of a calendar that has come to its end it is the last holiday; without any it begins now.
    """
    rate = DEMO_RATE if rate is None else rate
    times = [
        one.at
        for one in core_settings(settings).holidays
        if isinstance(one.data, HolidayData) and one.data.title_zh not in _TOMB_SWEEPING
    ]
    told = next((at for at in times if at > to_millis(now)), times[-1] if times else None)
    origin = now if told is None else from_millis(told - round(TOLD_AFTER_S * 1_000 * rate))
    return {"rate": rate, "origin": origin.isoformat(), "started": now.isoformat()}
