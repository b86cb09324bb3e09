"""What a backtest counts, in numbers that add up over customers, partitions and processes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from schemas.envelope import from_millis, to_millis
from streams.backtest.firings import DECLINED, Fired, Occasion
from streams.backtest.whys import Whys

TOP = 10
"""So many customers are named, those for whom a rule fired most often."""
_SHOWN = 5
USEFUL = frozenset({"won", "resolved"})
USELESS = frozenset({"lost", "no_interest", DECLINED})
"""Outcomes that count for a rule and against it; `other` says neither."""
WORK = ("task", "alert")
"""What somebody has to look at."""
NOBODY = "–"
UNSEEN = ("held_out", "refused")
"""What became of firings of which nobody sees anything."""


class Span(NamedTuple):
    """What is counted: from one instant up to, not including, another; epoch milliseconds."""

    start: int
    end: int
    zone: tzinfo

    def day(self, at: int) -> str:
        return self._date(at).isoformat()

    @property
    def days(self) -> int:
        """How many days of the calendar it touches."""
        return (self._date(self.end - 1) - self._date(self.start)).days + 1

    def within(self, other: "Span") -> "Span":
        """What it has of another; nothing where it does not end after its start."""
        return self._replace(start=max(self.start, other.start), end=min(self.end, other.end))

    def whole_days(self) -> "Span":
        """From the beginning of its first day to the end of its last one."""
        return self._replace(start=self._begin_of(self.start), end=self._begin_of(self.end - 1, 1))

    def _begin_of(self, at: int, later: int = 0) -> int:
        day = self._date(at) + timedelta(days=later)
        return to_millis(datetime.combine(day, time(), self.zone))

    def _date(self, at: int) -> date:
        return from_millis(at).astimezone(self.zone).date()


@dataclass
class Against:
    """The firings of the version that is live beside those of the one that is tried."""

    both: int = 0
    here: int = 0
    live: int = 0
    only_here: list[str] = field(default_factory=list)
    """`customer at instant`, the first few; likewise those of the live version alone."""
    only_live: list[str] = field(default_factory=list)

    def merge(self, other: "Against") -> None:
        self.both += other.both
        self.here += other.here
        self.live += other.live
        self.only_here = [*self.only_here, *other.only_here][:_SHOWN]
        self.only_live = [*self.only_live, *other.only_live][:_SHOWN]


@dataclass
class RuleTally:
    """Of one rule. What is UNSEEN is in `became` and `against` alone."""

    became: Counter[str] = field(default_factory=Counter)
    """`fired`, `shadow`, `held_out`, `refused` → how often."""
    refused: int = 0
    """Greetings refused on all channels, also where the rule did something else."""
    retracted: int = 0
    """How many of those that were seen were taken back later."""
    actions: Counter[str] = field(default_factory=Counter)
    days: Counter[str] = field(default_factory=Counter)
    customers: int = 0
    top: list[tuple[int, str]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    against: Against = field(default_factory=Against)

    @property
    def seen(self) -> int:
        """How often it fired, or would have as a live rule."""
        return self.became.total() - sum(self.became[one] for one in UNSEEN)

    @property
    def judged(self) -> int:
        """How many tasks have an outcome that says whether they were useful."""
        return sum(self.outcomes[one] for one in USEFUL | USELESS)

    @property
    def precision(self) -> float | None:
        """The share of useful ones among those; None if there are none."""
        useful = sum(self.outcomes[one] for one in USEFUL)
        return useful / self.judged if self.judged else None

    def merge(self, other: "RuleTally") -> None:
        for name in ("became", "actions", "days", "outcomes"):
            getattr(self, name).update(getattr(other, name))
        self.customers += other.customers
        self.refused += other.refused
        self.retracted += other.retracted
        self.top = _largest([*self.top, *other.top])
        self.against.merge(other.against)


@dataclass
class Tally:
    counts: Counter[str] = field(default_factory=Counter)
    """See streams.chunk.Outcome."""
    whys: Whys = field(default_factory=Whys)
    """Of dead letters."""
    rules: dict[str, RuleTally] = field(default_factory=dict)
    workload: dict[str, Counter[str]] = field(default_factory=dict)
    """Relationship manager → day → tasks and alerts."""

    def add(self, fired: Iterable[Fired], span: Span, told: Mapping[str, str]) -> None:
        """Count one customer's firings; `told` are the outcomes of tasks."""
        by_rule: dict[str, list[Fired]] = {}
        for one in fired:
            by_rule.setdefault(one.rule, []).append(one)
        for rule, several in by_rule.items():
            tally = self.of(rule)
            tally.became.update(one.became for one in several)
            tally.refused += sum(one.refused for one in several)
            seen = [one for one in several if one.became not in UNSEEN]
            tally.retracted += sum(one.retracted for one in seen)
            if seen:
                tally.customers += 1
                tally.top = _largest([*tally.top, (len(seen), seen[0].customer)])
            for one in seen:
                self._count(tally, one, span.day(one.at), told)

    def _count(self, tally: RuleTally, one: Fired, day: str, told: Mapping[str, str]) -> None:
        tally.days[day] += 1
        tally.actions.update(one.actions)
        tally.outcomes.update(told[task] for task in one.tasks if task in told)
        if work := sum(action in WORK for action in one.actions):
            self.workload.setdefault(one.rm or NOBODY, Counter())[day] += work

    def compare(self, here: Sequence[Fired], live: Sequence[Fired]) -> None:
        """Set one customer's firings against those of the versions that are live."""
        ours, theirs = _by_occasion(here), _by_occasion(live)
        for occasion, one in ours.items():
            against = self.of(one.rule).against
            if occasion in theirs:
                against.both += 1
            else:
                against.here += 1
                against.only_here = [*against.only_here, _where(one)][:_SHOWN]
        for occasion, one in theirs.items():
            if occasion not in ours:
                against = self.of(one.rule).against
                against.live += 1
                against.only_live = [*against.only_live, _where(one)][:_SHOWN]

    def of(self, rule: str) -> RuleTally:
        found = self.rules.get(rule)
        if found is None:
            found = self.rules[rule] = RuleTally()
        return found

    def merge(self, other: "Tally") -> None:
        self.counts.update(other.counts)
        self.whys.merge(other.whys)
        for rule, tally in other.rules.items():
            self.of(rule).merge(tally)
        for rm, days in other.workload.items():
            self.workload.setdefault(rm, Counter()).update(days)


def _largest(several: list[tuple[int, str]]) -> list[tuple[int, str]]:
    return sorted(several, reverse=True)[:TOP]


def _by_occasion(fired: Iterable[Fired]) -> dict[Occasion, Fired]:
    return {one.occasion: one for one in fired}


def _where(one: Fired) -> str:
    return f"{one.customer} {from_millis(one.at):%Y-%m-%d %H:%M:%S}Z"
