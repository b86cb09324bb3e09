"""What a customer's events met, one after the other: each version of a rule in its own time.

Where the journal tells it, an event meets what it met then, and windows begin and are filled as
those of the partition were. Elsewhere it goes by the times of publications, and windows begin with
the rule.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agents.backtest.stood import History
from agents.backtest.taken import Taken
from schemas.position import Since
from schemas.rules import RuleDefinition
from streams.backtest.facts import FactsInTime
from streams.backtest.play import Times, Trial, Turn
from streams.context import CoreSettings
from streams.inputs import Input
from streams.intake import Entry
from streams.reach import Reach
from streams.rules.asking import Asked
from streams.rules.checked import CheckedRule, check_rule
from streams.rules.errors import RuleErrors
from streams.rules.ruleset import RuleSet

_EVER = 2**62


class _Period(NamedTuple):
    """While neither the rule nor how far windows reach changes."""

    since: int
    place: int
    """In the rule's history."""
    reach: int
    """Of the journal's."""


class InTurn:
    def __init__(
        self,
        core: CoreSettings,
        others: Sequence[RuleDefinition],
        history: History,
        taken: Taken | None,
        sent: Mapping[tuple[str, int], int],
        entries: Sequence[Entry],
    ) -> None:
        """`others` are the other rules in force: as they are now; `sent`: when what stands at a
        place of a topic was sent, bank time in epoch milliseconds; `entries` are in the order in
        which they are played."""
        self._core = core
        self._others = others
        self._history = history
        self._taken = taken
        self._sent = sent
        self._entries = entries
        self._met = _never_back([self._met_by(one) for one in entries])
        self._compiler = core.compiler()
        self._made: dict[int, RuleSet] = {}
        """By the place in the rule's history."""
        self.problems: dict[str, str] = {}
        """Of versions that stood once and cannot run any more, by their names, for people."""

    def place(self, one: Input) -> int:
        """How the rule stood when an event came: the place in its history."""
        number = next(number for number, entry in enumerate(self._entries) if entry.input is one)
        return self._met[number][0]

    def turns(self, asked: Asked, facts: FactsInTime, end: int) -> list[Turn]:
        """Up to `end`, epoch milliseconds."""
        periods = self._periods()
        turns: list[Turn] = []
        first = until = 0
        for period, after in zip(periods, [*periods[1:], None], strict=True):
            last = len(self._entries) if after is None else self._up_to(period, first)
            mine = self._entries[first:last]
            dated = (one.input.at for one in mine if one.input)
            over = end if after is None else min(end, after.since)
            until = max(until, over, *dated)
            rules, kept = self._asked(period, asked), self._kept(period)
            trial = Trial(rules, self._core, facts, until, kept=kept)
            turns.append(Turn(mine, trial, times_of(mine, self._taken, over)))
            first = last
        return turns

    def _up_to(self, period: _Period, first: int) -> int:
        """The place of the first entry from there on that met what came after a period."""
        for number in range(first, len(self._met)):
            place, reach = self._met[number]
            if place > period.place or reach > period.reach:
                return number
        return len(self._met)

    def _met_by(self, entry: Entry) -> tuple[int, int]:
        """The places of what an entry met, in the rule's history and of the journal's reaches."""
        raw, taken, history = entry.raw, self._taken, self._history
        chunk = None if taken is None else taken.chunk(raw)
        if chunk is not None:
            return history.place_upto(chunk.register), chunk.reach
        at = entry.input.at if entry.input else _EVER
        place = history.place_at(self._sent.get((raw.topic, raw.offset), at))
        if taken is None or not taken.reaches:
            return place, 0
        return place, 0 if taken.is_before(raw) else len(taken.reaches) - 1

    def _periods(self) -> list[_Period]:
        changes = [(one.since, 1, 0) for one in self._history.stretches]
        reaches = [] if self._taken is None else self._taken.reaches
        changes += [(one.since, 0, 1) for one in reaches[1:]]
        found = [_Period(0, 0, 0)]
        for since, place, reach in sorted(changes):
            found.append(_Period(since, found[-1].place + place, found[-1].reach + reach))
        return found

    def _asked(self, period: _Period, asked: Asked) -> RuleSet:
        """What is in force in a period; where the rule runs it is asked about."""
        place, core = period.place, self._core
        stood, rules = self._history[place], self._rules(place)
        if stood is None or not rules.runs(stood.rule.id):
            return rules
        checked = check_rule(stood.rule, core.attributes, core.greetings)
        assert isinstance(checked, CheckedRule), "the compiler checked it"
        kept, looks = self._kept(period), rules.looks_back(stood.rule.id)
        warm_from = None if kept is None else Reach(kept).warm_from(looks, core.time_zone)
        return asked.under(rules, checked, self._history.told(place), warm_from)

    def _rules(self, place: int) -> RuleSet:
        if place not in self._made:
            stood = self._history[place]
            mine = [] if stood is None else [stood.rule]
            try:
                self._made[place] = self._compiler.compile([*self._others, *mine])
            except RuleErrors as error:
                self.problems["" if stood is None else stood.name] = str(error)
                self._made[place] = self._compiler.compile(self._others)
        return self._made[place]

    def _kept(self, period: _Period) -> Mapping[str, Since] | None:
        reaches = () if self._taken is None else self._taken.reaches
        return reaches[period.reach].kept if reaches else None


def times_of(entries: Sequence[Entry], taken: Taken | None, end: int) -> Times | None:
    """The partition's time as entries were taken, and at a time of the bank's clock (`end`, epoch
    milliseconds); None if nobody tells. Where the journal does not tell of an entry, its own."""
    if taken is None:
        return None
    found: list[int | None] = []
    before: int | None = None
    for one in entries:
        chunk = taken.chunk(one.raw)
        if chunk is None:
            found.append(one.input.at if one.input else 0)
        else:
            found.append(None if chunk.number == before else chunk.time)
        before = None if chunk is None else chunk.number
    return Times(found, taken.time_at(end))


def _never_back(met: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What came late, and is played at its time, met what those after it met."""
    found: list[tuple[int, int]] = []
    for place, reach in reversed(met):
        after = found[-1] if found else (place, reach)
        found.append((min(place, after[0]), min(reach, after[1])))
    return found[::-1]
