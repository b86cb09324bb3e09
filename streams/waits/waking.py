"""A timer fires: what its rule does then."""

from schemas.activity import Timer
from schemas.record import Record
from streams.rules.ruleset import Fired, RuleSet
from streams.timers import DEPOSITS, parts_of
from streams.waits import absence, deposits


def wake(record: Record, key: str, timer: Timer, rules: RuleSet) -> Fired:
    """Fire one timer of a record, which is due; it is marked or gone afterwards."""
    rule, kind, name = parts_of(key)
    if kind == absence.KIND:
        del record.activity.timers[key]
        return rules.miss(rule, record, timer.values, timer.due)
    timer.fired = True
    data = deposits.data_of(record.profile, name) if kind == DEPOSITS else None
    return Fired() if data is None else rules.wake(rule, record, data, timer.due)


def would_fire(record: Record, key: str, timer: Timer, rules: RuleSet) -> bool:
    """Whether its rule would fire when it is due, as things are now. Changes nothing."""
    rule, kind, name = parts_of(key)
    if kind == absence.KIND:
        return rules.would_miss(rule, record, timer.due)
    data = deposits.data_of(record.profile, name) if kind == DEPOSITS else None
    return data is not None and rules.would_fire(rule, record, data, timer.due)
