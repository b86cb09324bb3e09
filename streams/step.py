"""One input on one record, an event or a due timer: what it changes, and what follows."""

from msgspec import Struct

from schemas.effects import Effect
from schemas.record import Record
from streams import duplicates, timers
from streams.context import Context
from streams.duplicates import Verdict
from streams.effects import Occasion, effects_of, of_event, of_timer, profile_of
from streams.fold import fold
from streams.inputs import Input
from streams.rules.ruleset import Firing
from streams.summary import changed_summary, may_change_summary


class ConflictError(ValueError):
    """An event of the same source and id was applied before, with other content."""


class Stepped(Struct):
    """What one step made. `applied` is false for a duplicate: the record is as it was."""

    applied: bool
    late: bool = False
    effects: list[Effect] = []
    fired: list[str] = []
    """Ids of the rules that fired."""
    failed: list[str] = []
    """Ids of the rules that raised and lost their own effects; the fold stands."""


def step(record: Record, event: Input, context: Context) -> Stepped:
    """Apply one event to a record, in place.

    Raises ConflictError before anything changed. Anything else that it raises is a failed fold:
    the record is then half changed and must be thrown away.
    """
    activity, settings = record.activity, context.settings
    fingerprint = duplicates.fingerprint(event)
    verdict = duplicates.judge(activity.recent, fingerprint)
    if verdict is Verdict.DUPLICATE:
        return Stepped(applied=False)
    if verdict is Verdict.CONFLICT:
        raise ConflictError("another event of this source and id was applied before")
    late = event.at < activity.latest - settings.lateness
    activity.latest = max(activity.latest, event.at)
    if not 0 <= activity.first_seen <= event.at:
        activity.first_seen = event.at
    activity.late += late
    reversed_transfer = fold(record, event, late=late)
    if reversed_transfer is not None:
        context.rules.retract(record, reversed_transfer)
    if event.type in timers.TYPES:
        timers.update(record, event, context.rules.waits(event.type), settings.time_zone)
    outcome = context.rules.apply(record, event, late=late)
    activity.recent = duplicates.remember(
        activity.recent,
        fingerprint,
        event.at,
        kept=settings.duplicates_kept,
        oldest=activity.latest - settings.duplicates_for,
    )
    record.header.sequence += 1
    stepped = Stepped(applied=True, late=late, failed=outcome.failed)
    if outcome.firings or may_change_summary(record, event.type):
        _say(stepped, outcome.firings, record, event)
    return stepped


def _say(stepped: Stepped, firings: list[Firing], record: Record, event: Input) -> None:
    occasion = of_event(event)
    for firing in firings:
        _tell(stepped, record, firing, occasion)
    if may_change_summary(record, event.type):
        summary = changed_summary(record, occasion.cause)
        if summary is not None:
            stepped.effects.append(profile_of(record, summary))


def _tell(stepped: Stepped, record: Record, firing: Firing, occasion: Occasion) -> None:
    stepped.fired.append(firing.rule.id)
    stepped.effects.extend(effects_of(record, firing, occasion))


def fire(record: Record, until: int, context: Context) -> Stepped:
    """Fire a record's timers that are due by `until` (epoch milliseconds), each once, in order."""
    stepped = Stepped(applied=False)
    for key, timer in timers.due(record, until):
        timer.fired = stepped.applied = True
        data = timers.deposit_data(record.profile, key)
        if data is not None:
            woken = context.rules.wake(timers.rule_of(key), record, data, timer.due)
            stepped.failed += woken.failed
            for firing in woken.firings:
                _tell(stepped, record, firing, of_timer(key, timer))
    if stepped.applied:
        timers.settle(record)
        record.header.sequence += 1
    return stepped
