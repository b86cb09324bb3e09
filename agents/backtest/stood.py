"""Which version of a rule was in force when an event came."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from agents.clock import BankClock
from agents.core import core_settings
from config.settings import Settings
from schemas.envelope import to_millis
from schemas.rules import RuleDefinition
from streams.months import minute_at
from streams.rules.register import Stood


def stood(settings: Settings, rule: RuleDefinition, standings: Sequence[Stood], came: int) -> str:
    """What is to be known of it, for people, where it was another than is asked about. `standings`
    are the register's of the rule, `came` is bank time in epoch milliseconds."""
    if not standings:
        return ""
    clock = BankClock.from_settings(settings.clock)
    times = [clock.at(to_millis(datetime.fromisoformat(one.at))) for one in standings]
    before = [one for one, at in zip(standings, times, strict=True) if at <= came]
    told = f"told is what {rule.id}@{rule.version} would have done"
    if not before:
        since = minute_at(times[0], core_settings(settings).time_zone)
        if standings[0].is_first:
            return f"the register begins {since}: what was in force when the event came is unknown"
        return (
            f"no version of {rule.id} was in force when the event came: the first came into force "
            f"{since}; {told}"
        )
    version, status, _ = msgspec.structs.astuple(before[-1].standing)
    if version != rule.version:
        return f"{rule.id}@{version} was in force when the event came, as {status}; {told}"
    return "" if status == rule.status else f"it was {status} when the event came"
