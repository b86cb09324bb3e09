"""What its parts do to a rule together: each may be true, and all of them never are."""

from collections.abc import Iterator, Sequence

from streams.expressions.doubts import Known
from streams.expressions.never import never
from streams.expressions.nodes import FLAG, And, Node
from streams.expressions.ranges import Waited
from streams.rules.checked import CheckedRule
from streams.rules.errors import RuleProblem

_MOST = 300
"""Choices of signals that are looked at."""


def never_fires(rule: CheckedRule, known: Known) -> Iterator[RuleProblem]:
    """Of a rule whose conditions may each be true."""
    written = rule.definition
    if written.unless is not None and (reason := _never([rule.condition], rule, known)):
        message = f"with this the rule never fires: {reason}"
        yield RuleProblem(written.id, "unless", 0, message)
    elif reason := _Signals(rule, known).out_of_reach():
        yield RuleProblem(written.id, "score.threshold", 0, f"this is never reached: {reason}")


def waited_by(rule: CheckedRule) -> Waited | None:
    """How far off the date of a rule that waits for it is when that fires; before business days
    only the bank's calendar knows."""
    wait = rule.definition.wait
    if wait is None or wait.every or not rule.waits.dates or rule.waits.dates[0].is_own:
        return None
    number, date = wait.days or wait.business_days or 0, wait.date
    if wait.after is not None:
        why = f"the rule waits until {number} days after {date}, or longer"
        return Waited(date, -number, why)
    why = f"the rule waits until {number} days before {date}"
    return None if wait.days is None else Waited(date, number, why)


class _Signals:
    """Those of a score that count for it, and what holds when they are added up."""

    def __init__(self, rule: CheckedRule, known: Known) -> None:
        self._rule, self._known = rule, known
        self._left = _MOST
        self._reason = ""
        score = rule.definition.score
        self._threshold = score.threshold if score else 0
        found = [one.points for one in score.signals] if score else []
        signals = zip(found, rule.signals, strict=True)
        self._signals = sorted((one for one in signals if one[0] > 0), key=lambda one: -one[0])

    def out_of_reach(self) -> str:
        """Why the threshold is never reached; empty where that is not seen."""
        return "" if self._reach(0, 0, [self._rule.condition]) else self._reason

    def _reach(self, place: int, points: int, true: Sequence[Node]) -> bool:
        """Whether signals from a place on may be true beside others and bring enough points."""
        if points >= self._threshold or self._left < 0:
            return True
        rest = self._signals[place:]
        if points + sum(more for more, _ in rest) < self._threshold:
            return False
        more, signal = rest[0]
        self._left -= 1
        if reason := _never([*true, signal], self._rule, self._known):
            self._reason = self._reason or reason
        elif self._reach(place + 1, points + more, [*true, signal]):
            return True
        return self._reach(place + 1, points, true)


def _never(true: Sequence[Node], rule: CheckedRule, known: Known) -> str:
    steps = [one.name for one in rule.sequence.steps] if rule.sequence else []
    return never(And(FLAG, tuple(true)), known.lets, known.ranges(), steps)
