"""Rules that wait after a deposit's event until some days before its maturity.

Their timers follow the deposit: one that matures on another day moves its timers, one that is
redeemed or fell off the record cancels them. A timer that fired stays, marked, while its deposit is
open, so that hearing of the deposit again does not fire it twice.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo

from schemas.activity import Timer
from schemas.envelope import to_millis
from schemas.events.core import DepositData
from schemas.profile import Deposit, ProfileSection
from schemas.record import Record
from schemas.rule_waits import Wait
from streams import timers
from streams.fold.bounded import key_of
from streams.inputs import Input
from streams.timers import DEPOSITS

SETTING_TYPES = ("deposit.placed", "deposit.renewed")
"""The event types after which a rule can wait."""
TYPES = frozenset((*SETTING_TYPES, "deposit.redeemed"))
"""The event types that set, move or cancel timers."""


def update(record: Record, event: Input, rules: Iterable[tuple[str, Wait]], zone: tzinfo) -> None:
    """Set, move and cancel the timers of a record after one of TYPES was folded.

    `rules` are those that wait after this event, by id.
    """
    kept = record.activity.timers
    deposits = record.profile.deposits
    for key in [key for key in kept if _is_over(key, deposits)]:
        del kept[key]
    name = key_of(event.event.data.deposit)  # type: ignore[attr-defined]  # all TYPES have it
    deposit = deposits.get(name)
    if deposit is not None and deposit.state == "open":
        for rule, wait in rules:
            key = timers.key_of(rule, DEPOSITS, name)
            before = kept.get(key)
            if before is None or before.about != deposit.matures_on:
                _set(kept, key, _timer(deposit, wait, event, zone))
    timers.settle(record)


def data_of(profile: ProfileSection, name: str) -> DepositData | None:
    """A deposit as its event would tell it now; None if there is none any more."""
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
        ends = instant(deposit.matures_on, wait.days or 0, wait.at, zone)
    except (OverflowError, ValueError):
        return None
    if over < event.at:
        return None
    return timers.timer(event, deposit.matures_on, max(ends, event.at, 0))


def _set(kept: dict[str, Timer], key: str, timer: Timer | None) -> None:
    if timer is None:
        kept.pop(key, None)
    else:
        kept[key] = timer


def _is_over(key: str, deposits: dict[str, Deposit]) -> bool:
    _, kind, name = timers.parts_of(key)
    if kind != DEPOSITS:
        return False
    deposit = deposits.get(name)
    return deposit is None or deposit.state != "open"
