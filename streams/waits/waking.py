"""A timer fires: what its rule does then."""

from schemas.activity import Timer
from schemas.record import Record
from streams.facts import Facts
from streams.rules.firing import NOTHING, Fired
from streams.rules.ruleset import RuleSet
from streams.timers import parts_of
from streams.waits import absence, dates, silence


def wake(record: Record, key: str, timer: Timer, rules: RuleSet, facts: Facts) -> Fired:
    """Fire one timer of a record, which is due; it is gone, marked or due later afterwards."""
    rule, kind, name = parts_of(key)
    if kind == silence.KIND:
        return _in_silence(record, key, rule, timer, rules, facts)
    due, wait = timer.due, rules.date_wait(rule, kind)
    if wait is None:
        del record.activity.timers[key]
        return rules.miss(rule, record, timer) if kind == absence.KIND else NOTHING
    have_changed = record.activity.armed != rules.dates_mark
    if have_changed and dates.is_early(timer, wait, rules.bank):
        return NOTHING
    dates.ring(timer, wait, rules.bank)
    data = dates.told(record.profile, kind, name)
    return NOTHING if data is None else rules.wake(rule, record, data, due, facts)


def _in_silence(
    record: Record, key: str, rule: str, timer: Timer, rules: RuleSet, facts: Facts
) -> Fired:
    found = rules.in_silence(rule, record, timer.due, facts)
    if found is None:
        del record.activity.timers[key]
        return NOTHING
    timer.due += silence.AFTER
    return found


def would_fire(record: Record, key: str, timer: Timer, rules: RuleSet) -> bool:
    """Whether its rule would fire when it is due, as things are now. Changes nothing."""
    rule, kind, name = parts_of(key)
    if kind == absence.KIND:
        return rules.would_miss(rule, record, timer.due)
    if rules.date_wait(rule, kind) is None:
        return False
    data = dates.told(record.profile, kind, name)
    return data is not None and rules.would_fire(rule, record, data, timer.due)
