"""What besides its condition lets a rule fire for a customer, or not, with figures."""

from collections.abc import Iterator
from datetime import tzinfo

from msgspec import Struct

from schemas.envelope import from_millis
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.durations import parse_duration
from streams.greetings import open_channels
from streams.months import time_at
from streams.rules.gate import is_held_out, percentile


class Gatekeeper(Struct, frozen=True):
    """One reason that could keep a rule from acting."""

    name: str
    """status, active, rollout, cooldown, limit, holdout; consent of a rule that greets; score and
    newest of a rule that scores."""
    open: bool
    told: str
    partly: bool = False
    """What it keeps back is only a part of what the rule does."""
    idle: bool = False
    """The rule does not run: what it keeps back is not recorded either."""


def gatekeepers(rule: RuleDefinition, record: Record, at: int, zone: tzinfo) -> list[Gatekeeper]:
    """Those that the rule has, at an event's time (epoch milliseconds), before it fires."""
    found = [
        _status(rule),
        _active(rule, at, zone),
        _rollout(rule, record.customer),
        _cooldown(rule, record, at, zone),
        _limit(rule, record, at, zone),
        _holdout(rule, record.customer),
        _consent(rule, record),
        *_score(rule, record, at),
    ]
    return [one for one in found if one is not None]


_STATUS = {
    "live": "it is live",
    "shadow": "it is a shadow: what it would do is recorded, not done",
    "draft": "it is a draft: it does nothing",
    "retired": "it is retired: it does nothing",
}


def _status(rule: RuleDefinition) -> Gatekeeper:
    is_idle = rule.status in ("draft", "retired")
    return Gatekeeper("status", rule.status == "live", _STATUS[rule.status], idle=is_idle)


def _active(rule: RuleDefinition, at: int, zone: tzinfo) -> Gatekeeper | None:
    if (days := rule.active) is None:
        return None
    day = from_millis(at).astimezone(zone).date()
    is_open = (days.from_ is None or days.from_ <= day) and (
        days.until is None or day <= days.until
    )
    told = " ".join(
        [f"on {day}, and it is active"]
        + ([f"from {days.from_}"] if days.from_ else [])
        + ([f"until {days.until}"] if days.until else [])
    )
    return Gatekeeper("active", is_open, told)


def _rollout(rule: RuleDefinition, customer: str) -> Gatekeeper | None:
    if rule.rollout == 100:
        return None
    place = percentile(rule.id, customer)
    told = f"for the first {rule.rollout} of 100, and this customer is number {place + 1}"
    return Gatekeeper("rollout", place < rule.rollout, told)


def _cooldown(rule: RuleDefinition, record: Record, at: int, zone: tzinfo) -> Gatekeeper | None:
    if rule.cooldown is None:
        return None
    if rule.amendable:
        told = (
            f"{rule.cooldown}, by stretches of time: of each the first event that fires it counts"
        )
        return Gatekeeper("cooldown", True, told)
    last = record.activity.cooldowns.get(rule.id)
    if last is None:
        return Gatekeeper("cooldown", True, f"{rule.cooldown}, and it has not fired yet")
    again = last + parse_duration(rule.cooldown)
    fired, since = time_at(last, zone), time_at(again, zone)
    told = f"{rule.cooldown}, and it fired {fired}: again from {since}"
    return Gatekeeper("cooldown", at >= again, told)


def _limit(rule: RuleDefinition, record: Record, at: int, zone: tzinfo) -> Gatekeeper | None:
    if (limit := rule.limit) is None:
        return None
    length = parse_duration(limit.within)
    fired = sorted(one for one in record.activity.firings.get(rule.id, ()) if one > at - length)
    is_open = len(fired) < limit.times
    again = "" if is_open else f": again from {time_at(fired[-limit.times] + length, zone)}"
    times = "once" if len(fired) == 1 else f"{len(fired)} times"
    told = f"{limit.times} within {limit.within}, and it fired {times}{again}"
    return Gatekeeper("limit", is_open, told)


def _holdout(rule: RuleDefinition, customer: str) -> Gatekeeper | None:
    if rule.holdout is None:
        return None
    is_out = is_held_out(rule, customer)
    told = f"{rule.holdout} of 100 are held out, and this customer is {'one' if is_out else 'none'}"
    return Gatekeeper("holdout", not is_out, f"{told} of them")


def _consent(rule: RuleDefinition, record: Record) -> Gatekeeper | None:
    if (wanted := rule.then.greeting) is None:
        return None
    left = open_channels(record.profile, wanted.purpose, wanted.channels)
    refused = [one for one in wanted.channels if one not in left]
    told = f"{wanted.purpose} on {', '.join(wanted.channels)}"
    partly = len(rule.then.actions) > 1
    if not left:
        told += ": the customer refuses that, so the greeting is recorded as refused"
        told += " (what else it does is done)" if partly else ""
    elif refused:
        told += f": refused on {', '.join(refused)}"
    else:
        told += ": not refused"
    return Gatekeeper("consent", bool(left), told, partly)


def _score(rule: RuleDefinition, record: Record, at: int) -> Iterator[Gatekeeper]:
    if (score := rule.score) is None:
        return
    kept = record.profile.scores.get(score.name)
    was_high = kept is not None and kept.raised
    points = 0 if kept is None else kept.points
    told = "high already" if was_high else "not high yet"
    said = f"it stood at {points}, {told}; low again below {score.release}"
    yield Gatekeeper("score", not was_high, said)
    if at < record.activity.latest:
        yield Gatekeeper("newest", False, "a score is of the newest event, and a newer one came")
