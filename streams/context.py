"""What a step needs besides the record and the input; the same for a whole chunk."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from schemas.rules import RuleDefinition
from streams.announced import Announced
from streams.attributes import NONE_DECLARED, Attributes
from streams.calendar import WEEKENDS_ONLY, Calendar
from streams.durations import DAY_MS
from streams.facts import NO_FACTS, Facts
from streams.greetings import NO_GREETINGS, Greetings
from streams.reach import WHOLE, Reach
from streams.rules.compiler import Compiler
from streams.rules.ruleset import RuleSet


@dataclass(frozen=True, slots=True)
class CoreSettings:
    """The part of the settings that changes results. Durations in milliseconds."""

    partitions: int
    future_tolerance: int = 300_000
    lateness: int = 30 * DAY_MS
    duplicates_kept: int = 64
    duplicates_for: int = 7 * DAY_MS
    time_zone: tzinfo = UTC
    """The bank's, for dates and times of day."""
    attributes: Attributes = NONE_DECLARED
    base_currency: str = "CNY"
    """ISO 4217, of all base amounts."""
    calendar: Calendar = WEEKENDS_ONLY
    """The bank's business days."""
    greetings: Greetings = NO_GREETINGS
    holidays: tuple[Announced, ...] = ()
    """The calendar's, as customers are told of them, in the order of their times."""

    def compiler(self, breathe: Callable[[], None] = lambda: None) -> Compiler:
        """Of rules, as they run with these settings."""
        return Compiler(
            breathe=breathe,
            lateness=self.lateness,
            attributes=self.attributes,
            zone=self.time_zone,
            calendar=self.calendar,
            greetings=self.greetings,
        )

    def compiled(self, definitions: Sequence[RuleDefinition]) -> RuleSet:
        """Rules, as they run with these settings. Raises RuleErrors."""
        return self.compiler().compile(definitions)


@dataclass(frozen=True, slots=True)
class Context:
    now: int
    """The bank clock, epoch milliseconds."""
    rules: RuleSet
    settings: CoreSettings
    partition_time: int = -1
    """Up to here all events have come, and timers are due whether or not their customer has one;
    epoch milliseconds."""
    facts: Facts = NO_FACTS
    """Reference data and organisation."""
    summaries: bool = True
    """Whether `vip.profiles` is told of the customer; a backtest tells nobody."""
    register: int = 0
    """The offset of the register, `vip.rules`, that the rules follow from; 0: they are of files."""

    reach: Reach = WHOLE
    """How far back the windows of the partition's records reach."""

    @property
    def edge(self) -> int:
        """No event that went into windows lies so far ahead that they dropped something for it that
        they look back at from here, epoch milliseconds."""
        return self.horizon - self.settings.lateness

    @property
    def horizon(self) -> int:
        """The latest event time that does not count as the future, epoch milliseconds."""
        return self.now + self.settings.future_tolerance
