"""One input on one record, an event or a due timer: what it changes, and what follows."""

from collections.abc import Sequence
from heapq import heappop, heappush

from msgspec import Struct, structs

from schemas.effects import Effect, encode_profile
from schemas.record import Record
from streams import duplicates, timers
from streams.base_amounts import with_base_amount
from streams.broadcasts import Pending
from streams.context import Context
from streams.duplicates import CONFLICT, DUPLICATE
from streams.effects import (
    Deed,
    Occasion,
    effects_of,
    occasion_of,
    of_broadcast,
    of_event,
    of_timer,
    profile_of,
)
from streams.fold import fold
from streams.inputs import Input
from streams.mirror import MIRRORED, Told, is_mirror, mirrored
from streams.rules.firing import NOTHING, Fired, Firing, also
from streams.summary import changed_summary, may_change_summary
from streams.waits import dates
from streams.waits.waking import wake


class ConflictError(ValueError):
    """An event of the same source and id was applied before, with other content."""


class Stepped(Struct, frozen=True):
    """What one step made. `applied` is false for a duplicate: the record is as it was."""

    applied: bool
    late: bool = False
    armed: bool = False
    """Timers were set for the dates that are there, since the rules that wait for dates changed."""
    effects: Sequence[Effect] = ()
    encoded: Sequence[bytes] = ()
    """The effects as they are sent."""
    fired: Sequence[str] = ()
    """What is counted of the rules that fired: `fired:RULE`, or `shadow:RULE`, `held_out:RULE`,
    `amended:RULE`, `retracted:RULE`."""
    failed: Sequence[str] = ()
    """Ids of the rules that raised and lost their own effects; the fold stands."""
    told: Told | None = None
    """What another customer is told."""


_ALREADY = Stepped(applied=False)
_PLAIN = Stepped(applied=True)
"""Nearly all events: nothing follows from them."""


def step(record: Record, event: Input, context: Context) -> Stepped:
    """Apply one event to a record, in place, unless it was applied before.

    Raises ConflictError, NoBaseAmountError or LargeBaseAmountError before anything changed. What
    else it raises is a failed fold: the record is then half changed and must be thrown away.
    """
    activity, settings = record.activity, context.settings
    fingerprint = duplicates.fingerprint(event)
    verdict = duplicates.judge(activity.recent, fingerprint)
    if verdict is DUPLICATE:
        return _ALREADY
    if verdict is CONFLICT:
        raise ConflictError("another event of this source and id was applied before")
    stepped = step_new(record, event, context)
    oldest = activity.latest - settings.duplicates_for
    duplicates.remember(activity.recent, fingerprint, event.at, settings.duplicates_kept, oldest)
    return stepped


def step_new(record: Record, event: Input, context: Context) -> Stepped:
    """Apply an event that was not applied before, and do not remember that it was. Raises as
    `step`, but no ConflictError."""
    activity, settings = record.activity, context.settings
    event = with_base_amount(event, context.facts, settings.base_currency)
    at, rules = event.at, context.rules
    late = at < activity.latest - settings.lateness
    if at > activity.latest:
        activity.latest = at
    elif late:
        activity.late += 1
    if not 0 <= activity.first_seen <= at:
        activity.first_seen = at
    forgot = armed = False
    if activity.rules != rules.mark or activity.ruled != context.reach.number:
        forgot = rules.forget_others(record, context.reach)
    folded = fold(record, event, late=late, zone=settings.time_zone)
    amended = None
    if folded.corrections:
        amended = rules.correct(record, folded.corrections, context.reach)
    if waits := rules.waits.get(event.type):
        dates.update(record, event, waits, rules.bank)
    if activity.armed != rules.dates_mark:
        activity.armed = rules.dates_mark
        armed = dates.arm(record, event, at, rules.date_waits, rules.bank)
    seen, after = folded.left or event, folded.after
    reversed_ = after is not None
    outcome = rules.apply(record, seen, late=late, facts=context.facts, reversed_=reversed_)
    if after is not None and not late:
        rules.retract(record, after, activity.era)
    if amended is not None:
        outcome = also(outcome, amended.firings, amended.failed)
    header = record.header
    header.sequence += 1
    beside = folded.month_began or outcome.scored or forgot
    if outcome.firings:
        beside = beside or _change_the_record(outcome.firings)
    telling = context.summaries and may_change_summary(record, event, beside=beside)
    if not (telling or header.is_customer or is_mirror(event)):
        header.admit()
    other = mirrored(event) if event.type in MIRRORED else None
    if not (telling or late or armed or outcome.firings or outcome.failed or other):
        return _PLAIN
    made = _follow(record, outcome, of_event(event), context, telling=telling)
    return structs.replace(made, late=late, armed=armed, told=other)


def _follow(
    record: Record,
    outcome: Fired,
    occasion: Occasion,
    context: Context,
    *,
    telling: bool,
) -> Stepped:
    """What the rules that fired do, and the summary where it may have changed.

    What a rule does to the record comes after all rules of the step were evaluated. One whose
    effects cannot be made or sent failed; to its cooldown and its limit it fired.
    """
    effects: list[Effect] = []
    encoded: list[bytes] = []
    fired: list[str] = []
    failed = [*outcome.failed]
    for firing in outcome.firings:
        try:
            made = effects_of(_deed(record, firing, occasion_of(firing, occasion), context))
        except Exception as error:  # whatever a rule raises is its own loss alone
            context.rules.lose(firing, error)
            failed.append(firing.rule.id)
            continue
        fired.append(_counted(firing))
        effects += [effect for effect, _ in made]
        encoded += [sent for _, sent in made]
    if telling:
        summary = changed_summary(record, occasion.cause, context.settings.attributes)
        if summary is not None:
            profile = profile_of(record, summary.data, occasion)
            effects.append(profile)
            encoded.append(encode_profile(profile, summary.encoded))
    return Stepped(applied=True, effects=effects, encoded=encoded, fired=fired, failed=failed)


def _deed(record: Record, firing: Firing, occasion: Occasion, context: Context) -> Deed:
    rules = context.rules
    since = context.reach.warm_from(rules.looks_back(firing.rule.id), rules.bank.zone)
    return Deed(record, firing, occasion, context.settings, is_warm=occasion.at >= since)


def _is_told_of(record: Record, context: Context) -> bool:
    return context.summaries and record.header.is_customer


def _change_the_record(firings: Sequence[Firing]) -> bool:
    return any(one.withheld is None and one.rule.then.changes_the_record for one in firings)


def _counted(firing: Firing) -> str:
    amends = firing.amends
    if amends is not None and amends.change != "raised":
        return f"{amends.change}:{firing.rule.id}"
    return f"{firing.withheld or 'fired'}:{firing.rule.id}"


def receive(record: Record, one: Pending, context: Context, *, mark: bool) -> Stepped:
    """Tell a customer of a broadcast. If no rule fires, rules that changed find no date, and it is
    not to be marked as told, the record is as it was."""
    told, rules, activity = one.told, context.rules, record.activity
    outcome = rules.announce(record, told.type, told.data, told.at, context.facts)
    firings = outcome.firings
    armed = activity.armed != rules.dates_mark and dates.finds(record, rules.date_waits)
    if not (firings or mark or armed):
        return Stepped(applied=False, failed=outcome.failed)
    if armed:
        activity.armed = rules.dates_mark
        dates.arm(record, told.cause, told.at, rules.date_waits, rules.bank)
    record.header.last_broadcast = one.number
    record.header.sequence += bool(firings) or armed
    telling = _is_told_of(record, context) and _change_the_record(firings)
    made = _follow(record, outcome, of_broadcast(told), context, telling=telling)
    return structs.replace(made, armed=armed)


def fire(record: Record, until: int, context: Context) -> Stepped:
    """Fire a record's timers that are due by `until` (epoch milliseconds), each once, in order;
    those that wait for an answer by the partition's time at most.

    Each is a step of its own: the next one sees what the rule of the one before did.
    """
    effects: list[Effect] = []
    encoded: list[bytes] = []
    fired: list[str] = []
    failed: list[str] = []
    held = record.activity.timers
    due = timers.due(record, until, context.partition_time)
    applied = bool(due)
    while due:
        at, key = heappop(due)
        timer = held[key]
        woken = wake(record, key, timer, context.rules, context.facts)
        if woken is not NOTHING:
            changed = woken.scored or _change_the_record(woken.firings)
            telling = _is_told_of(record, context) and changed
            made = _follow(record, woken, of_timer(key, timer, at), context, telling=telling)
            effects += made.effects
            encoded += made.encoded
            fired += made.fired
            failed += made.failed
        if key in held and not timer.fired and timer.due <= until:
            heappush(due, (timer.due, key))
    if applied:
        timers.settle(record)
        record.header.sequence += 1
    return Stepped(applied=applied, effects=effects, encoded=encoded, fired=fired, failed=failed)
