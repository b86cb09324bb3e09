"""What lets a rule fire whose condition holds: its days, its share of the customers, its pauses.

All of it goes by event time. A late event from before a firing counts as one after it, so that it
does not fire the rule again.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from hashlib import blake2b

from msgspec import Struct

from schemas.activity import ActivitySection
from schemas.effects import Withheld
from schemas.envelope import to_millis
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.durations import parse_duration

_NEVER_ENDS = 2**62


class Closed(StrEnum):
    """Why a rule does not fire although its condition holds."""

    INACTIVE = "inactive"
    ROLLOUT = "rollout"
    COOLDOWN = "cooldown"
    LIMIT = "limit"


class Gate(Struct, frozen=True, kw_only=True):
    """Times in milliseconds."""

    rule: str
    opens: int = 0
    closes: int = _NEVER_ENDS
    rollout: int = 100
    """Percent of the customers."""
    cooldown: int = 0
    times: int = 0
    """So many firings within `within`; 0: any number."""
    within: int = 0

    def closed(self, record: Record, at: int) -> Closed | None:
        """Why it does not let the rule fire at this event time; None if it does."""
        if not self.opens <= at < self.closes:
            return Closed.INACTIVE
        if self.rollout < 100 and percentile(self.rule, record.customer) >= self.rollout:
            return Closed.ROLLOUT
        activity = record.activity
        if self.cooldown:
            last = activity.cooldowns.get(self.rule)
            if last is not None and at < last + self.cooldown:
                return Closed.COOLDOWN
        if self.times:
            since = at - self.within
            if sum(one > since for one in activity.firings.get(self.rule, ())) >= self.times:
                return Closed.LIMIT
        return None

    def note(self, activity: ActivitySection, at: int) -> None:
        """The rule fired."""
        if self.cooldown:
            activity.cooldowns[self.rule] = at
        if self.times:
            kept = [*activity.firings.get(self.rule, ()), at]
            activity.firings[self.rule] = sorted(kept)[-self.times :]


def gate_of(rule: RuleDefinition, zone: tzinfo = UTC) -> Gate | None:
    """A rule's gate; None if it is always open. `zone` is the one of its days."""
    active, limit = rule.active, rule.limit
    gate = Gate(
        rule=rule.id,
        opens=_midnight(active.from_, zone) if active and active.from_ else 0,
        closes=_end(active.until, zone) if active and active.until else _NEVER_ENDS,
        rollout=rule.rollout,
        # What can be amended pauses by stretches of time, see amending.py.
        cooldown=parse_duration(rule.cooldown) if rule.cooldown and not rule.amendable else 0,
        times=limit.times if limit else 0,
        within=parse_duration(limit.within) if limit else 0,
    )
    return None if gate == Gate(rule=rule.id) else gate


def withheld(rule: RuleDefinition, customer: str) -> Withheld | None:
    """Why a rule's actions are not done for a customer; None if they are."""
    if rule.status == "shadow":
        return "shadow"
    return "held_out" if is_held_out(rule, customer) else None


def is_held_out(rule: RuleDefinition, customer: str) -> bool:
    """Whether this customer is one of those for whom the rule's actions are withheld: unrelated to
    who is in its rollout."""
    share = rule.holdout
    return share is not None and percentile(f"{rule.id}\0holdout", customer) < share


def percentile(name: str, customer: str) -> int:
    """Of a customer among all, 0 to 99: always the same for a name, unrelated between names."""
    digest = blake2b(f"{name}\0{customer}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) % 100


def _midnight(day: date, zone: tzinfo) -> int:
    return to_millis(datetime.combine(day, datetime.min.time(), zone))


def _end(day: date, zone: tzinfo) -> int:
    """The calendar's last day says that it never ends: no other comes after it."""
    return _NEVER_ENDS if day == date.max else _midnight(day + timedelta(days=1), zone)
