"""Scores in silence: what time alone may change is reckoned again while nothing is heard.

A rule with a score is evaluated at the events that it listens to. One that asks for windows or for
days, and for nothing of the event itself, is evaluated also AFTER the last of those events, and
again each time AFTER that, until the longest of its windows is over. One timer a rule; it is set
anew by the first event of a day or so, so that whoever is heard of daily has it moved once a day.
"""

from collections.abc import Iterable, Iterator

from schemas.events.core import CustomerData
from schemas.record import Record
from streams import timers
from streams.durations import DAY_MS
from streams.expressions.nodes import Clock, Days, EventField, MonthEnd, Node, Reading, walk
from streams.inputs import Input
from streams.rules.checked import CheckedRule

KIND = timers.SILENCE
AFTER = 7 * DAY_MS
NOTHING = CustomerData()
"""What such a rule looks at in place of an event."""
_EVER = 2**62
_LONGEST_MONTH = 31 * DAY_MS


def is_seen_by(rule: CheckedRule) -> bool:
    """Whether a rule has a score that time alone may change."""
    if rule.definition.score is None:
        return False
    nodes = [*_nodes(rule)]
    if any(isinstance(one, EventField | Clock) for one in nodes):
        return False
    return any(isinstance(one, Reading | Days | MonthEnd) for one in nodes)


def lasts(rule: CheckedRule) -> int:
    """How long after anything was heard time alone may change its score, milliseconds."""
    nodes = [*_nodes(rule)]
    if any(isinstance(one, Days) for one in nodes):
        return _EVER
    asked = rule.aggregates()
    ago = [-one.months[0] for one in asked if one.months]
    ago += [one.ago for one in nodes if isinstance(one, MonthEnd)]
    months = (_LONGEST_MONTH * (1 + one) for one in ago)
    return max((*(one.length for one in asked), *months), default=0) + AFTER


def _nodes(rule: CheckedRule) -> Iterator[Node]:
    for whole in (*rule.looked_at(), *rule.shown.values()):
        yield from walk(whole)


def key_of(rule: str) -> str:
    """Of its timer."""
    return timers.key_of(rule, KIND, "")


def begin(record: Record, event: Input, keys: Iterable[str]) -> None:
    """Something was heard of the customer: the silence begins with it. What is moved to later is
    seldom the next of all timers."""
    held, next_due, is_next = record.activity.timers, record.header.next_due, False
    for key in keys:
        before = held.get(key)
        if before is None or before.at + DAY_MS <= event.at:
            held[key] = timers.timer(event, "", event.at + AFTER)
            is_next |= before is None or not 0 <= next_due < before.due
    if is_next:
        timers.settle(record)
