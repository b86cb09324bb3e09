"""One customer's archived events through the live step, in the order of their times."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, pairwise
from typing import NamedTuple, Protocol

from schemas.dead_letters import Reason
from schemas.effects import Effect
from schemas.events.campaign import BROADCAST_TYPES
from schemas.place import Place
from schemas.position import Since
from schemas.record import Record
from streams.announced import Announced
from streams.backtest.facts import FactsInTime
from streams.backtest.late import place_of
from streams.backtest.whys import Whys
from streams.base_amounts import LargeBaseAmountError, NoBaseAmountError
from streams.broadcasts import Pending, for_newcomer, is_over
from streams.chunk import failed_fold
from streams.context import Context, CoreSettings
from streams.filling import fill
from streams.inputs import Input, Raw
from streams.intake import Entry
from streams.reach import Reach
from streams.rules.ruleset import RuleSet
from streams.step import ConflictError, Stepped, fire, receive, step, step_new

_EVER = 2**62


@dataclass(frozen=True)
class Trial:
    """Rules, and the world in which they are tried."""

    rules: RuleSet
    settings: CoreSettings
    facts: FactsInTime
    until: int
    """Events are played and timers fired up to here, epoch milliseconds."""
    since: int = 0
    """The archive goes back to here: a rule that looks back further is not warm; 0: as far as any
    rule looks."""
    kept: Mapping[str, Since] | None = None
    """How far back a partition's windows reach, instead."""

    @cached_property
    def announcements(self) -> Sequence[tuple[int, str]]:
        """When what is told, campaigns and holidays; nothing if no rule listens."""
        if not any(map(self.rules.listens, BROADCAST_TYPES)):
            return ()
        holidays = {(one.at, one.name) for one in self.holidays.values()}
        return sorted(holidays | self.facts.announced())

    @cached_property
    def holidays(self) -> Mapping[str, Announced]:
        """A calendar goes back for years: those that are over before the archive begins are left
        out, as nobody comes before that."""
        zone = self.settings.time_zone
        holidays = (one for one in self.settings.holidays if not is_over(one, self.since, zone))
        return {one.name: one for one in holidays}

    @cached_property
    def reach(self) -> Reach:
        if self.kept is not None:
            return Reach(self.kept)
        return Reach({}).advance(self.rules.asked, self.since, 0, 0)

    @cached_property
    def _contexts(self) -> Sequence[tuple[Context, int]]:
        """With each of the facts, and until when they hold.

        No event is ahead of a backtest's clock, nor is one on its way: they come in the order of
        their times. No summaries are made: nobody asks."""
        rules, settings, reach = self.rules, self.settings, self.reach
        return [
            (Context(_EVER, rules, settings, _EVER, facts, summaries=False, reach=reach), until)
            for facts, until in zip(self.facts.held, self.facts.until, strict=True)
        ]

    def context(self, time: int) -> tuple[Context, int]:
        """Of a time, with when facts change next."""
        return self._contexts[self.facts.place(time)]


class Times(NamedTuple):
    """The partition's time as a worker knew it, epoch milliseconds: up to there timers fire as a
    chunk begins, and answers are known no further."""

    at: Sequence[int | None]
    """As the chunk of each entry began; None: it is that of the entry before."""
    until: int
    """At the end."""


class Turn(NamedTuple):
    """What comes while rules stand. All turns have the same facts and settings."""

    entries: Sequence[Entry]
    trial: Trial
    times: Times | None = None
    """None: timers fire at their times, and all that is dated before has come."""


Step = Callable[[Record, Input, Context], Stepped]
Why = tuple[Reason, str]
"""Why an event is a dead letter, and more of it."""


class Played(NamedTuple):
    """What came of one customer's events."""

    effects: list[Effect]
    counts: Counter[str]
    """As those of streams.chunk.Outcome."""
    whys: Whys
    """Of what is a dead letter."""
    record: Record
    """As it is afterwards."""


class Taker(Protocol):
    """Is given effects as they come."""

    def extend(self, effects: Iterable[Effect], /) -> None: ...

    def clear(self) -> None:
        """Forget them: they come again."""


class _LostError(Exception):
    """An event that cannot be applied; the record is half changed."""

    def __init__(self, number: int, why: Why) -> None:
        super().__init__(*why)
        self.number, self.why = number, why


def in_order(entries: Sequence[Entry]) -> list[Entry]:
    """By event time."""
    return sorted(entries, key=place_of)


def play(
    customer: str, entries: Sequence[Entry], trial: Trial, taker: Taker | None = None
) -> Played:
    """Step one customer's entries, from an empty record. They are in the order of `in_order`, or
    as they came.

    An event whose fold fails leaves no trace: the customer is played again without it. A `taker`
    is given the effects, which may be more than memory is to hold: there are none in what is
    returned then.
    """
    return play_in_turn(customer, [Turn(entries, trial)], taker)


def play_in_turn(customer: str, turns: Sequence[Turn], taker: Taker | None = None) -> Played:
    """As `play`, with rules that change: each turn goes up to its own `until`, and nothing that
    comes in it is dated later, but for the last."""
    named_again = _named_again(turns)
    lost: dict[int, Why] = {}
    while True:
        run = _Run(customer, turns[0].trial, lost, named_again, taker)
        try:
            for turn in turns:
                run.over(*turn)
        except _LostError as error:
            lost[error.number] = error.why
            if taker is not None:
                taker.clear()
        else:
            return run.played


def _named_again(turns: Sequence[Turn]) -> bytearray:
    """For each entry 1 if it may be a duplicate or counts for what is one: it has the name of an
    event before or after it, or is between two of one name. To the others it does not matter what
    is remembered of events, unless time goes back: then what is newer keeps what is older."""
    seen: dict[tuple[str, str], int] = {}
    found = bytearray(sum(len(turn.entries) for turn in turns))
    for number, entry in enumerate(_entries(turns)):
        if (given := entry.input) is not None:
            name = given.event.source, given.event.id
            if (before := seen.setdefault(name, number)) != number:
                found[before : number + 1] = b"\1" * (number + 1 - before)
                seen[name] = number
    if any(found) and _goes_back(one.input.at for one in _entries(turns) if one.input):
        return bytearray(b"\1" * len(found))
    return found


def _entries(turns: Sequence[Turn]) -> Iterator[Entry]:
    return chain.from_iterable(turn.entries for turn in turns)


def _goes_back(times: Iterable[int]) -> bool:
    return any(after < before for before, after in pairwise(times))


class _Run:
    def __init__(
        self,
        customer: str,
        trial: Trial,
        lost: dict[int, Why],
        named_again: bytearray,
        taker: Taker | None,
    ) -> None:
        self._trial = trial
        self._lost = lost
        self._named_again = named_again
        self._record = Record(customer)
        self._context, self._until = trial.context(0)
        """What is known at a time, and until when."""
        self._time: int | None = None
        """The partition's, if it is told."""
        self.played = Played([], Counter(), Whys(), self._record)
        self._taker = self.played.effects if taker is None else taker
        self._taken = 0
        """So many entries are over."""
        self._is_welcome = False
        self._told = 0
        """So many announcements are over."""
        self._changes = 0
        """When facts change or something is told, next."""

    def over(self, entries: Sequence[Entry], trial: Trial, times: Times | None) -> None:
        self._begin(trial)
        until, header, named_again = trial.until, self._record.header, self._named_again
        is_welcome = self._is_welcome
        came = entries if times is None else self._as_taken(entries, times)
        for number, entry in enumerate(came, self._taken):
            event = entry.input
            if event is None:
                self._leave(entry)
                continue
            at = event.at
            if at > until:
                break
            if at >= self._changes:
                self._advance(at)
            if 0 <= header.next_due <= at:
                self._fire(at)
            self._take(number, event, step if named_again[number] else step_new)
            if not is_welcome and header.is_customer:
                is_welcome = True
                self._welcome(at)
        self._is_welcome = is_welcome
        self._taken += len(entries)
        self._advance(until)
        if times is None:
            self._fire(until)
        else:
            self._reach(times.until)

    def _as_taken(self, entries: Sequence[Entry], times: Times) -> Iterator[Entry]:
        for entry, time in zip(entries, times.at, strict=True):
            if time is not None:
                self._reach(time)
            yield entry

    def _reach(self, time: int) -> None:
        """The partition's time goes on, and with it all timers that are due."""
        self._time = time if self._time is None else max(time, self._time)
        self._context = replace(self._context, partition_time=self._time)
        self._fire(self._time)

    def _begin(self, trial: Trial) -> None:
        """Of what was told before nobody is told again who is there."""
        before, self._trial = self._trial, trial
        if trial is not before:
            told = (at for at, _ in trial.announcements)
            self._told = sum(at <= before.until for at in told)
            self._changes = 0
            self._learn(before.until)

    def _leave(self, entry: Entry) -> None:
        """What is no event. What fills windows does so where they are those of the partition."""
        if entry.problem is not None:
            self._bury((entry.problem.reason, entry.problem.detail), entry.raw)
        elif entry.fill is not None:
            fill(self._record, entry.fill, self._context)
        else:
            self.played.counts[f"unknown:{entry.unknown}"] += 1

    def _bury(self, why: Why, one: Raw | Input) -> None:
        self.played.counts[f"dead:{why[0]}"] += 1
        self.played.whys.add(*why, [Place(one.topic, one.partition, one.offset)])

    def _advance(self, at: int) -> None:
        self._announce(at)
        self._learn(at)
        told = self._trial.announcements
        tells = told[self._told][0] if self._told < len(told) else _EVER
        self._changes = min(self._until, tells)

    def _announce(self, until: int) -> None:
        """Tell the customer what all are told by then: those who have come before."""
        told = self._trial.announcements
        while self._told < len(told) and told[self._told][0] <= until:
            at, name = told[self._told]
            self._told += 1
            if self._record.header.is_customer:
                self._receive(at, name)

    def _welcome(self, at: int) -> None:
        """Tell a new customer of what is running."""
        for told_at, name in self._trial.announcements[: self._told]:
            one = self._running(told_at, name, at)
            if one is not None:
                self._hear(for_newcomer(one, self._record))

    def _receive(self, at: int, name: str) -> None:
        self._learn(at)
        one = self._running(at, name, at)
        if one is not None:
            self._hear(Pending(self._told, one))

    def _running(self, told_at: int, name: str, now: int) -> Announced | None:
        """What is told at that time, unless it was corrected or taken back, or is over now."""
        one = self._trial.holidays.get(name) or self._context.facts.announced.get(name)
        zone = self._trial.settings.time_zone
        return None if one is None or one.at != told_at or is_over(one, now, zone) else one

    def _hear(self, one: Pending) -> None:
        self._fire(one.told.at)
        self.played.counts["told"] += self._trial.rules.listens(one.told.type)
        stepped = receive(self._record, one, self._context, mark=False)
        self._note(stepped)

    def _learn(self, at: int) -> None:
        self._context, self._until = self._trial.context(at)
        if self._time is not None:
            self._context = replace(self._context, partition_time=self._time)

    def _fire(self, until: int) -> None:
        if 0 <= self._record.header.next_due <= until:
            stepped = fire(self._record, until, self._context)
            self.played.counts["timers"] += stepped.applied
            self._note(stepped)

    def _take(self, number: int, event: Input, step: Step) -> None:
        """Apply one event, or bury it. How large the record gets is not watched: rules that could
        fill one are refused when they are compiled."""
        if number in self._lost:
            return self._bury(self._lost[number], event)
        try:
            stepped = step(self._record, event, self._context)
        except ConflictError as error:
            return self._bury((Reason.CONFLICT, str(error)), event)
        except NoBaseAmountError as error:
            return self._bury((Reason.NO_BASE_AMOUNT, str(error)), event)
        except LargeBaseAmountError as error:
            return self._bury((Reason.BROKEN, str(error)), event)
        except Exception as error:  # whatever a fold raises, only its event is lost
            raise _LostError(number, (Reason.FAILED, failed_fold(event, error))) from error
        if not stepped.applied:
            self.played.counts["duplicates"] += 1
            return None
        self.played.counts["applied"] += 1
        if stepped.effects or stepped.failed:
            self._note(stepped)
        return None

    def _note(self, stepped: Stepped) -> None:
        counts = self.played.counts
        for fired in stepped.fired:
            counts[fired] += 1
        for rule in stepped.failed:
            counts[f"rule_failures:{rule}"] += 1
        self._taker.extend(stepped.effects)
