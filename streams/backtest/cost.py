"""What a rule costs by itself: the time that the engine takes for it, event by event."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from schemas.activity import Timer
from schemas.envelope import Data
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.backtest.facts import FactsInTime
from streams.backtest.play import Trial, play
from streams.context import CoreSettings
from streams.facts import NO_FACTS, Facts
from streams.inputs import Input
from streams.intake import Entry
from streams.rules.firing import Fired
from streams.rules.ruleset import RuleSet

Clock = Callable[[], int]
"""Nanoseconds; only differences count."""
_CALIBRATED = 1_000
"""Looks at the clock, to know what that costs by itself."""
_OPEN = {"cooldown": None, "limit": None, "rollout": 100, "active": None, "holdout": None}


class Cost(Struct):
    """Of one rule, with aggregates of its own: those that it shares with others cost less."""

    nanos: int = 0
    events: int = 0
    """Those that it looks at, or that go into its windows."""
    evaluated: int = 0
    """How often its condition was looked at."""
    held: int = 0
    """How often that was true, whatever cooldowns and the like say then."""
    fired: int = 0

    @property
    def micros(self) -> float:
        """An event."""
        return self.nanos / 1_000 / self.events if self.events else 0.0


def cost_of(
    rule: RuleDefinition,
    customers: Mapping[str, Sequence[Entry]],
    core: CoreSettings,
    facts: FactsInTime,
    clock: Clock,
) -> Cost:
    """Play customers' entries (in the order of `in_order`) with one rule as if it were live."""
    alone = rule.model_copy(update={"status": "live"})
    timed = _played(alone, customers, core, facts, clock)
    opened = alone.model_copy(update=_OPEN)
    ungated = timed if opened == alone else _played(opened, customers, core, facts, clock)
    return Cost(timed.nanos, timed.events, timed.evaluated, ungated.held, timed.fired)


def _played(
    rule: RuleDefinition,
    customers: Mapping[str, Sequence[Entry]],
    core: CoreSettings,
    facts: FactsInTime,
    clock: Clock,
) -> "_Timed":
    timed = _Timed(core.compiled([rule]), clock)
    for customer, entries in customers.items():
        end = max((one.input.at for one in entries if one.input), default=0)
        play(customer, entries, Trial(timed, core, facts, end))
    return timed


class _Timed(RuleSet):
    """A rule set of one rule that takes its own time."""

    def __init__(self, rules: RuleSet, clock: Clock) -> None:
        self.__dict__.update(rules.__dict__)
        self._clock = clock
        self._own = min(-(clock() - clock()) for _ in range(_CALIBRATED))
        self.nanos = self.events = self.evaluated = self.held = self.fired = 0

    def apply(
        self,
        record: Record,
        event: Input,
        *,
        late: bool,
        facts: Facts = NO_FACTS,
        reversed_: bool = False,
    ) -> Fired:
        began = self._clock()
        made = super().apply(record, event, late=late, facts=facts, reversed_=reversed_)
        took = self._clock() - began
        if event.type in self._plans:
            self.events += 1
            self.evaluated += event.type in self._by_type
            self._count(made, took)
        return made

    def wake(
        self, rule_id: str, record: Record, data: Data, at: int, facts: Facts = NO_FACTS
    ) -> Fired:
        began = self._clock()
        made = super().wake(rule_id, record, data, at, facts)
        self.events += 1
        self.evaluated += 1
        self._count(made, self._clock() - began)
        return made

    def announce(
        self, record: Record, event_type: str, data: Data, at: int, facts: Facts = NO_FACTS
    ) -> Fired:
        began = self._clock()
        made = super().announce(record, event_type, data, at, facts)
        took = self._clock() - began
        if event_type in self._by_type:
            self.events += 1
            self.evaluated += 1
            self._count(made, took)
        return made

    def miss(self, rule_id: str, record: Record, timer: Timer) -> Fired:
        began = self._clock()
        made = super().miss(rule_id, record, timer)
        self.nanos += max(self._clock() - began - self._own, 0)
        self.fired += len(made.firings)
        return made

    def _count(self, made: Fired, took: int) -> None:
        self.nanos += max(took - self._own, 0)
        self.held += len(made.firings) + len(made.waiting)
        self.fired += len(made.firings)
