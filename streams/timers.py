"""Timers: rules that wait after a deposit's event until some days before its maturity.

They live in the record and follow the deposit: one that matures on another day moves its timers,
one that is redeemed or fell off the record cancels them. A timer that fired stays, marked, while
its deposit is open, so that hearing of the deposit again does not fire it twice.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo

from schemas.activity import Timer
from schemas.envelope import to_millis
from schemas.events.core import DepositData
from schemas.profile import NEVER, Deposit, ProfileSection
from schemas.record import Record
from schemas.rules import Wait
from streams.fold.bounded import key_of
from streams.inputs import Input

SETTING_TYPES = ("deposit.placed", "deposit.renewed")
"""The event types after which a rule can wait."""
TYPES = frozenset((*SETTING_TYPES, "deposit.redeemed"))
"""The event types that set, move or cancel timers."""
MAX_FIRED = 500
"""At most so many customers' timers are fired at the partition time in one chunk: it may bring a
task for each, and a worker that is told to stop waits for the chunks of all its partitions."""

Due = tuple[str, Timer]
"""The key of a timer, and the timer."""


def update(record: Record, event: Input, rules: Iterable[tuple[str, Wait]], zone: tzinfo) -> None:
    """Set, move and cancel the timers of a record after one of TYPES was folded.

    `rules` are those that wait after this event, by id.
    """
    timers = record.activity.timers
    deposits = record.profile.deposits
    for key in [key for key in timers if not _is_open(deposits.get(_deposit_of(key)))]:
        del timers[key]
    name = key_of(event.event.data.deposit)  # type: ignore[attr-defined]  # all TYPES have it
    deposit = deposits.get(name)
    if deposit is not None and deposit.state == "open":
        for rule, wait in rules:
            key = f"{rule}:{name}"
            kept = timers.get(key)
            if kept is None or kept.about != deposit.matures_on:
                _set(timers, key, _timer(deposit, wait, event, zone))
    settle(record)


def due(record: Record, until: int) -> list[Due]:
    """The timers that are due by `until` (epoch milliseconds), in the order of their times."""
    found = [
        (timer.due, key)
        for key, timer in record.activity.timers.items()
        if not timer.fired and timer.due <= until
    ]
    return [(key, record.activity.timers[key]) for _, key in sorted(found)]


def settle(record: Record) -> None:
    """Bring the header's `next_due` in line with the timers."""
    waiting = (timer.due for timer in record.activity.timers.values() if not timer.fired)
    record.header.next_due = min(waiting, default=NEVER)


def rule_of(key: str) -> str:
    return key.partition(":")[0]


def deposit_data(profile: ProfileSection, key: str) -> DepositData | None:
    """A timer's deposit as its event would tell it now; None if there is none any more."""
    name = _deposit_of(key)
    deposit = profile.deposits.get(name)
    if deposit is None or deposit.state != "open":
        return None
    return DepositData(
        deposit=name,
        principal=deposit.principal,
        currency=deposit.currency,
        base_principal=deposit.base_principal,
        rate=deposit.rate,
        matures_on=deposit.matures_on,
    )


def instant(day: str, days: int, at: str, zone: tzinfo) -> int:
    """So many days before a day (`2026-05-01`), at a time of day (`09:00`); epoch milliseconds.

    Of a time that a change of the clocks skips or repeats, the first reading counts (PEP 495).
    Raises ValueError for a day that is none, OverflowError for one before the calendar begins.
    """
    chosen = date.fromisoformat(day) - timedelta(days=days)
    return to_millis(datetime.combine(chosen, time.fromisoformat(at), zone))


def _timer(deposit: Deposit, wait: Wait, event: Input, zone: tzinfo) -> Timer | None:
    """None for a deposit that has matured by the time of its event, and for a day that is none:
    events with such a day are refused, but a record may be older than that."""
    try:
        over = instant(deposit.matures_on, 0, "23:59", zone)
        ends = instant(deposit.matures_on, wait.days, wait.at, zone)
    except (OverflowError, ValueError):
        return None
    if over < event.at:
        return None
    return Timer(
        about=deposit.matures_on,
        due=max(ends, event.at, 0),
        source=event.event.source,
        id=event.event.id,
        type=event.type,
        at=event.at,
        topic=event.topic,
        partition=event.partition,
        offset=event.offset,
    )


def _set(timers: dict[str, Timer], key: str, timer: Timer | None) -> None:
    if timer is None:
        timers.pop(key, None)
    else:
        timers[key] = timer


def _deposit_of(key: str) -> str:
    return key.partition(":")[2]


def _is_open(deposit: Deposit | None) -> bool:
    return deposit is not None and deposit.state == "open"
