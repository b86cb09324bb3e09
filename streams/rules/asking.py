"""A rule asked about one customer: at an event, at a timer, or as things are now."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from datetime import tzinfo
from typing import Any

from msgspec.structs import replace

from schemas.activity import Played, Timer
from schemas.envelope import Data
from schemas.record import Record
from streams.expressions.interpret import World
from streams.facts import NO_FACTS, Facts
from streams.inputs import Correction, Input
from streams.reach import WHOLE, Reach
from streams.rules.amending import Amending
from streams.rules.answers import Changed, Wait, Why
from streams.rules.checked import CheckedRule
from streams.rules.compiled import CompiledRule
from streams.rules.ends import Ended, Waits
from streams.rules.firing import Fired, Firing
from streams.rules.hindrances import gatekeepers
from streams.rules.readings import UNKNOWN, Readings, Unknown
from streams.rules.ruleset import RuleSet
from streams.rules.sequence import chains_of
from streams.rules.why import NoEvent, clauses, lets, step_names, worlds
from streams.timers import ABSENCE, parts_of
from streams.waits import dates, silence
from streams.waits.own import FAMILY, OWN

_PERSONAL = (OWN, FAMILY)


class _Watched(Amending):
    """As another one, and each event that is played again is told of."""

    def __init__(self, amending: Amending, told: Callable[..., None]) -> None:
        self.__dict__.update(amending.__dict__)
        self._told = told

    def _evaluate(
        self, rule: CompiledRule, record: Record, one: Played, event: Input, readings: Readings
    ) -> Sequence[Any] | None:
        self._told(rule.id, record, one, event, readings)
        return super()._evaluate(rule, record, one, event, readings)


class Asked(RuleSet):
    """A rule set that, while it works, looks at one of its rules for one event and what follows."""

    def __init__(
        self,
        rules: RuleSet,
        rule: CheckedRule,
        event: tuple[str, str],
        zone: tzinfo,
        broadcast: Sequence[Data] = (),
        status: str = "",
    ) -> None:
        """`event` is the source and the id of the event that is asked about. The rule runs in the
        set, whatever its own definition says of its status; `status` are other words about that,
        for people."""
        self._go_by_rules(rules)
        self.rule = rule
        self._event = event
        self._broadcast = broadcast
        """What the event says, if all customers were told of it: as it was and is corrected."""
        self._zone = zone
        self._status = status
        self._warm_from: int | None = None
        self.answers: dict[tuple[str, int], Why] = {}
        """By when and at what time, in that order."""
        self.changes: dict[tuple[tuple[str, str], tuple[str, str]], Changed] = {}
        """That the event made and that were made of it, by `of` and `by`, in that order."""
        self.ends: list[Ended] = []
        """What the event did to waits, and what was done to those after it."""
        self._waits = Waits()
        self._corrected: Sequence[Firing] = ()
        """What the event of this step took back, before the rules look at it."""
        self._latest: Why | None = None
        """What is answered while effects are made."""
        self._reckoned: Why | None = None
        """What is answered while the event is applied."""

    def under(
        self, rules: RuleSet, rule: CheckedRule, status: str, warm_from: int | None
    ) -> "Asked":
        """The same question while other rules are in force, with another version of the rule; the
        answers are shared."""
        other = copy(self)
        other._go_by_rules(rules)
        other.rule, other._status, other._warm_from = rule, status, warm_from
        return other

    def _go_by_rules(self, rules: RuleSet) -> None:
        self.__dict__.update(rules.__dict__)
        if self._amending is not None:
            watched = _Watched(self._amending, self._see_again)
            self._amending = watched
            self._plans = {
                kind: plan._replace(amending=plan.amending and watched)
                for kind, plan in self._plans.items()
            }

    def apply(
        self,
        record: Record,
        event: Input,
        *,
        late: bool,
        facts: Facts = NO_FACTS,
        reversed_: bool = False,
    ) -> Fired:
        fired = self._apply(record, event, late=late, facts=facts, reversed_=reversed_)
        self._note_changes(event, (*self._corrected, *fired.firings))
        self._corrected = ()
        self._note_ends(self._waits.after(self.rule, record, event))
        return fired

    def _note_ends(self, ends: Iterable[Ended]) -> None:
        self.ends += [one for one in ends if self._event in (one.of, one.by)]

    def correct(
        self, record: Record, corrections: Sequence[Correction], reach: Reach = WHOLE
    ) -> Fired:
        fired = super().correct(record, corrections, reach)
        self._corrected = fired.firings
        return fired

    def _note_changes(self, event: Input, firings: Iterable[Firing]) -> None:
        by = event.event.source, event.event.id
        for one in firings:
            if one.amends is None or one.rule.id != self.rule.definition.id:
                continue
            of = one.amends.source, one.amends.id
            if by != of and self._event in (by, of):
                self.changes[of, by] = Changed(
                    change=one.amends.change,
                    values=one.values,
                    of=of,
                    at=one.amends.at,
                    by=by,
                    type=event.type,
                    by_at=event.at,
                )

    def _apply(
        self, record: Record, event: Input, *, late: bool, facts: Facts, reversed_: bool
    ) -> Fired:
        self._latest = None
        named = event.event.source, event.event.id
        if named != self._event or event.type not in self.rule.definition.on:
            return super().apply(record, event, late=late, facts=facts, reversed_=reversed_)
        told = self._told("wait" if self._is_dated else "event", record, event.at)
        told.late = late
        told.taken_back = reversed_ and self.rule.definition.amendable
        if not self._is_dated:
            copy = Record(record.customer, record.encode())
            readings: Readings | Unknown = UNKNOWN
            if not late:
                latest = max(copy.activity.latest, event.at)
                readings = self._aggregates.add(copy.windows, event, latest, copy.activity.era)
            self._look(told, record, event.event.data, readings, facts)
        self._reckoned = told
        fired = super().apply(record, event, late=late, facts=facts, reversed_=reversed_)
        self._reckoned = None
        self._notice(told, fired)
        if self.rule.definition.amendable:
            self._go_by(told, fired)
        timers = record.activity.timers
        told.waits = [
            self._wait(record, key)
            for key in timers
            if self._is_mine(key) and self._is_asked(timers[key])
        ]
        if self.rule.waits.absence is not None:
            told.due = _due(told.waits)
            told.taken_back = reversed_
            told.answered = told.holds is True and not (told.waits or reversed_ or told.failed)
        return fired

    def _see_again(
        self, rule_id: str, record: Record, one: Played, event: Input, readings: Readings
    ) -> None:
        """The event is played again as it comes, as others are later than it: what windows were in
        the order of times."""
        told = self._reckoned
        is_asked = rule_id == self.rule.definition.id and (one.source, one.id) == self._event
        if told is not None and is_asked:
            self._look(told, record, event.event.data, readings, NO_FACTS)

    def _go_by(self, told: Why, fired: Fired) -> None:
        """What a rule that can be amended did at the event itself."""
        told.fired = False
        for one in fired.firings:
            of = self._event if one.amends is None else (one.amends.source, one.amends.id)
            if one.rule.id == self.rule.definition.id and of == self._event:
                told.fired = True
                told.lets = {name: one.values[name] for name in told.lets}

    def wake(
        self, rule_id: str, record: Record, data: Data, at: int, facts: Facts = NO_FACTS
    ) -> Fired:
        self._note_ends(self._waits.look(self.rule, record, at))
        timers = record.activity.timers
        mine = [key for key in timers if self._is_mine(key) and self._is_asked(timers[key])]
        is_own = rule_id == self.rule.definition.id
        if not (is_own and any(self._about(record, key) == data for key in mine)):
            self._latest = None
            return super().wake(rule_id, record, data, at, facts)
        told = self._told("timer", record, at)
        self._look(told, record, data, self._aggregates.read(record.windows, at), facts)
        return self._notice(told, super().wake(rule_id, record, data, at, facts))

    def announce(
        self, record: Record, event_type: str, data: Data, at: int, facts: Facts = NO_FACTS
    ) -> Fired:
        if event_type not in self.rule.definition.on or data not in self._broadcast:
            self._latest = None
            return super().announce(record, event_type, data, at, facts)
        told = self._told("told", record, at)
        self._look(told, record, data, self._aggregates.read(record.windows, at), facts)
        return self._notice(told, super().announce(record, event_type, data, at, facts))

    def miss(self, rule_id: str, record: Record, timer: Timer) -> Fired:
        """A version that waits for another time may be in force by now."""
        absence = self.rule.waits.absence if rule_id == self.rule.definition.id else None
        self._note_ends(self._waits.look(self.rule, record, timer.due))
        self._latest = None
        if absence is not None and self._is_asked(timer):
            self._latest = self._told("answer", record, timer.due)
            self._latest.lets = timer.values
        return super().miss(rule_id, record, timer)

    def in_silence(
        self, rule_id: str, record: Record, at: int, facts: Facts = NO_FACTS
    ) -> Fired | None:
        """Each week it looks: told is when something came of that."""
        timer, self._latest = record.activity.timers[silence.key_of(rule_id)], None
        if rule_id != self.rule.definition.id or not self._is_asked(timer):
            return super().in_silence(rule_id, record, at, facts)
        told, nothing = self._answer("silence", record, at), silence.NOTHING
        self._look(told, record, nothing, self._aggregates.read(record.windows, at), facts)
        fired = super().in_silence(rule_id, record, at, facts)
        if fired is not None and (fired.firings or fired.failed):
            self.answers["silence", at] = told
            self._notice(told, fired)
        return fired

    def lose(self, firing: Firing, error: Exception) -> None:
        is_mine = firing.rule.id == self.rule.definition.id and firing.amends is None
        if is_mine and self._latest is not None:
            self._latest.failed = _said(error)

    def now(self, record: Record, at: int, facts: Facts = NO_FACTS) -> list[Why]:
        """As things are: without an event, or for a rule that waits for a date with each of the
        things that it waits about. `at` may be before the newest event: then it is as of that."""
        at = max(at, record.activity.latest)
        readings = self._aggregates.read(record.windows, at)
        if not self._is_dated:
            told = self._told("now", record, at)
            self._look(told, record, NoEvent(), readings, facts)
            told.waits = self._timers(record)
            return [told]
        answers = []
        for key in record.activity.timers:
            if self._is_mine(key) and (data := self._about(record, key)) is not None:
                told = self._answer("now", record, at)
                told.waits = [self._wait(record, key)]
                told.due = _due(told.waits)
                self._look(told, record, data, readings, facts)
                answers.append(told)
        return answers or [self._told("wait", record, at)]

    @property
    def _is_dated(self) -> bool:
        return bool(self.rule.waits.dates)

    def _about(self, record: Record, key: str) -> Data | None:
        """What a timer's date is of, as it is now."""
        _, kind, name = parts_of(key)
        return dates.told(record.profile, kind, name)

    def _told(self, when: str, record: Record, at: int) -> Why:
        """A customer may be played again: the last answer stands."""
        told = self.answers[when, at] = self._answer(when, record, at)
        return told

    def _answer(self, when: str, record: Record, at: int) -> Why:
        definition = self.rule.definition
        gates = gatekeepers(definition, record, at, self._zone)
        if self._status:
            gates = [
                replace(one, told=self._status) if one.name == "status" else one for one in gates
            ]
        return Why(
            when=when,
            at=at,
            version=definition.version,
            gates=gates,
            warm_from=self._warm_from,
        )

    def _notice(self, told: Why, fired: Fired) -> Fired:
        """Whether the rule failed. What it raised, the interpreter said if that raised it too."""
        self._latest = told
        is_lost = self.rule.definition.id in fired.failed
        told.failed = (told.failed or "its condition, or what it shows, raised") if is_lost else ""
        return fired

    def _look(
        self,
        told: Why,
        record: Record,
        data: Any,
        readings: Readings | Unknown,
        facts: Facts,
    ) -> None:
        """Of several chains of a sequence, that which makes the condition true, else the latest."""
        rule, number_of = self.rule, self._aggregates.number_of
        chains = chains_of(rule.sequence, number_of)(readings) if rule.sequence else iter(())
        nothing = [defaultdict[str, Any](lambda: None) for _ in step_names(rule)]
        base = World(
            data,
            record,
            rule.lets,
            lambda one: readings[number_of(one)],
            nothing,
            facts,
            told.at,
            self._zone,
        )
        found = [*worlds(rule, base, chains)]
        told.missing = "" if found else self._missing(readings)
        try:
            held = (one for one in found if all(part.holds for part in clauses(rule, one)))
            world = next(held, found[0] if found else base)
            told.clauses, told.lets = clauses(rule, world), lets(rule, world)
        except Exception as error:  # as in the engine, it is the rule's own loss alone
            told.failed = _said(error)

    def _missing(self, readings: Readings | Unknown) -> str:
        sequence, asked = self.rule.sequence, self.rule.definition.sequence
        assert sequence is not None
        assert asked is not None
        for step, kept in zip(sequence.steps, sequence.kept, strict=True):
            if not readings[self._aggregates.number_of(kept)]:
                return f"no {step.name} ({', '.join(step.types)}) within {asked.within} before it"
        return f"the steps came within {asked.within}, but not one after the other as is asked"

    def _timers(self, record: Record) -> list[Wait]:
        return [self._wait(record, key) for key in record.activity.timers if self._is_mine(key)]

    def _wait(self, record: Record, key: str) -> Wait:
        timer = record.activity.timers[key]
        kind, absence = parts_of(key).kind, self.rule.waits.absence
        about = "" if kind in _PERSONAL else timer.about
        if kind == ABSENCE:
            about = "" if absence is None else f"without {', '.join(absence.types)}"
        return Wait(about, timer.due, timer.fired)

    def _is_asked(self, timer: Timer) -> bool:
        return (timer.source, timer.id) == self._event

    def _is_mine(self, key: str) -> bool:
        return parts_of(key).rule == self.rule.definition.id


def _due(waits: Iterable[Wait]) -> int | None:
    return min((one.due for one in waits if not one.fired), default=None)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
