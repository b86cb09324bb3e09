"""The rules in force: compiled once, applied to every event of a customer."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from schemas.activity import Timer
from schemas.envelope import Data
from schemas.events import EVENT_TYPES
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.calendar import Calendar
from streams.facts import NO_FACTS, Facts
from streams.inputs import Correction, Input
from streams.reach import WHOLE, LookBack, Reach
from streams.rules.aggregates import Aggregates, look_back
from streams.rules.amending import Amending, Replayed, settle_all
from streams.rules.checked import CheckedRule
from streams.rules.compiled import CompiledRule
from streams.rules.firing import NOTHING, Amends, Fired, Firing, also
from streams.rules.listening import Listening, Seen, evaluate_each, fire, is_closed
from streams.rules.owing import OWED_BYTES, owe
from streams.rules.readings import UNKNOWN, Readings, Unknown
from streams.rules.scores import drop_others
from streams.rules.weight import Weight
from streams.timers import parts_of
from streams.waits import absence, dates, silence
from streams.waits.absence import Listener
from streams.waits.dates import DateWait
from streams.waits.days import Bank

_RESERVE = OWED_BYTES + 4 * 1024
"""More bytes than what windows are owed, scores and greetings take."""


class _Plan(NamedTuple):
    """What an event of one type meets."""

    listeners: Sequence[Listener]
    """What it may answer."""
    listening: Listening | None
    """The rules that are evaluated."""
    quiet: Sequence[str]
    """Keys of the timers that it sets anew."""
    amending: Amending | None
    """Where rules that can be amended look at it."""


class RuleSet:
    """An immutable set of rules. Live and shadow ones run; all but the retired are checked."""

    def __init__(
        self,
        definitions: Sequence[RuleDefinition],
        digest: str,
        running: Sequence[CompiledRule],
        aggregates: Aggregates,
        bank: Bank,
        together: Callable[[Sequence[CompiledRule]], Listening],
        amending: Amending | None,
        weight: Weight,
    ) -> None:
        """`running` are sorted by id; `together` makes one function of several; `amending` is of
        those that can be amended, None if none can."""
        self.definitions = tuple(definitions)
        self.digest = digest
        """Of the rules, the attributes that they can use, the calendar and the greetings: what they
        say follows from all of them."""
        self.running = len(running)
        """How many run, live or in shadow."""
        self.weight = weight
        """What they may take of a record."""
        self._aggregates = aggregates
        self._ids = frozenset(rule.id for rule in self.definitions)
        self._listeners = _listeners([rule.checked for rule in running])
        self._answers = {one.key for group in self._listeners.values() for one in group}
        scores = [rule.definition.score.name for rule in running if rule.definition.score]
        self._scores = frozenset(scores)
        kept = (*self._aggregates.keys, *self._ids, *self._answers, *map("score {}".format, scores))
        amendable = () if amending is None else amending.marks
        self.mark = _mark(sorted((*kept, *amendable)))
        """Tells rules that keep other things in a record from these."""
        self._amending = amending
        self.reserve = _RESERVE + (0 if amending is None else amending.room)
        """More bytes than that takes which one event may change as a whole: what may be played
        again, what windows are owed, scores and greetings."""
        self.bank = bank
        waits = [wait for rule in running for wait in rule.checked.waits.dates]
        waits.sort(key=lambda wait: (wait.rule, wait.kind))
        self._date_waits = {(wait.rule, wait.kind): wait for wait in waits}
        self.waits = _by_type(waits)
        """Event type → the rules that wait for a date which it may tell, move or end."""
        self.date_waits = tuple(waits)
        self.dates_mark = _dates_mark(waits, bank.calendar)
        self._waiting = {rule.id: rule for rule in running if rule.definition.wait is not None}
        by_type = _evaluated(running)
        self._by_type = {event_type: together(rules) for event_type, rules in by_type.items()}
        silent = [rule for rule in running if silence.is_seen_by(rule.checked)]
        self._silent = {rule.id: (rule, silence.lasts(rule.checked)) for rule in silent}
        self._quiet = _quiet(silent)
        self._running = {rule.id: rule.checked for rule in running}
        self.asked: Mapping[str, int] = aggregates.asked
        """How far back windows are asked for, milliseconds, by the keys of their states."""
        self._looks: dict[str, Sequence[LookBack]] = {}
        self._rooms: dict[str, tuple[int, int]] = {}
        """What `room` reckoned, by event type."""
        self._plans = {
            event_type: _Plan(
                self._listeners.get(event_type, ()),
                self._by_type.get(event_type),
                self._quiet.get(event_type, ()),
                amending if amending is not None and amending.listens(event_type) else None,
            )
            for event_type in self._aggregates.types | by_type.keys() | self._listeners.keys()
        }

    def runs(self, rule_id: str) -> bool:
        """Whether a rule is in force, live or in shadow."""
        return rule_id in self._running

    def looks_back(self, rule_id: str) -> Sequence[LookBack]:
        """How far back a rule looks into windows; not at all where it is not in force."""
        found = self._looks.get(rule_id)
        if found is None:
            rule = self._running.get(rule_id)
            asked = dict.fromkeys(rule.aggregates() if rule is not None else ())
            found = self._looks[rule_id] = [look_back(one) for one in asked]
        return found

    def apply(
        self,
        record: Record,
        event: Input,
        *,
        late: bool,
        facts: Facts = NO_FACTS,
        reversed_: bool = False,
    ) -> Fired:
        """Put the event into the windows, end the timers that it answers, then evaluate the rules
        that listen to its type.

        An event that came too late stays out, and to its rules every aggregate is unknown. A rule
        whose condition holds fires if its gate is open, or begins to wait for an answer. An event
        whose reversal came before it (`reversed_`) is no answer and waits for none, and to rules
        that can be amended it never was.
        """
        plan = self._plans.get(event.type)
        if plan is None:
            return NOTHING
        activity, at = record.activity, event.at
        if late:
            readings: Readings | Unknown = UNKNOWN
        else:
            latest = at if at > activity.latest else activity.latest
            readings = self._aggregates.add(record.windows, event, latest, activity.era)
        if plan.listeners and not reversed_:
            absence.answer(record, event, plan.listeners)
        fired = NOTHING
        if plan.listening is not None:
            fired = plan.listening.apply(record, event.event.data, readings, facts, at)
            for one in () if reversed_ else fired.waiting:
                absence.begin(record, event, one)
            if plan.quiet and not late:
                silence.begin(record, event, plan.quiet)
        if plan.amending is None or reversed_:
            return fired
        return self._amend(plan.amending, record, event, fired, late=late)

    def _amend(
        self, amending: Amending, record: Record, event: Input, fired: Fired, *, late: bool
    ) -> Fired:
        """What the rules that can be amended do after an event: on it, and on those after it."""
        activity, at = record.activity, event.at
        held = [one for one in fired.amendable if not amending.is_paused(activity, one.rule.id, at)]
        if late:
            for one in held:
                last = activity.cooldowns.get(one.rule.id, at)
                activity.cooldowns[one.rule.id] = max(last, at)
        else:
            made = {one.rule.id: (one.values, one.withheld is not None) for one in held}
            replayed = amending.take(record, event, made)
            if replayed is not None:
                return also(fired, _changed(replayed), replayed.failed)
        return also(fired, held)

    def correct(
        self, record: Record, corrections: Sequence[Correction], reach: Reach = WHOLE
    ) -> Fired:
        """Put right what windows hold of events, what waits or was answered, and what rules that
        can be amended made of it. What a window lacks that may be filled yet is noted."""
        activity = record.activity
        for one in corrections:
            missed = self._aggregates.correct(record.windows, one, activity.latest)
            owe(activity, missed, reach)
            if self._waiting:
                absence.take_back(record, one, self._listeners.get(one.before.type, ()))
        if self._amending is None:
            return NOTHING
        replayed = self._amending.correct(record, corrections)
        return also(NOTHING, _changed(replayed), replayed.failed)

    def forget_others(self, record: Record, reach: Reach = WHOLE) -> bool:
        """Take out of a record what rules that are gone kept there; whether the profile is another
        one by it.

        A window whose rule comes back begins anew: it would lack what happened meanwhile.
        """
        windows, activity = record.windows, record.activity
        keys = self._aggregates.keys
        for key in [*windows]:
            if key not in keys or reach.began_after(key, activity.ruled):
                windows.remove(key)
                activity.began.pop(key, None)
            elif (upto := reach.grown_after(key, activity.ruled)) is not None:
                self._aggregates.drop_upto(windows, key, upto)
        activity.filled = {
            key: number for key, number in activity.filled.items() if reach.lacks(key, number)
        }
        activity.owed = [
            one
            for one in activity.owed
            if reach.may_lack(one.key)
            and not reach.began_after(one.key, activity.ruled)
            and reach.grown_after(one.key, activity.ruled) is None
        ]
        activity.ruled = reach.number
        if self._amending is not None:
            self._amending.begin(record)
        else:
            settle_all(activity)
        for rule in activity.cooldowns.keys() - self._ids:
            del activity.cooldowns[rule]
        for rule in activity.firings.keys() - self._ids:
            del activity.firings[rule]
        for key in activity.answers.keys() - self._answers:
            del activity.answers[key]
        for key in [key for key in activity.answered if parts_of(key).rule not in self._ids]:
            del activity.answered[key]
        # Windows that begin from now on hold none of the events that are kept.
        activity.era += bool(activity.transfers or activity.payments)
        activity.rules = self.mark
        return drop_others(record, self._scores)

    def listens(self, event_type: str) -> bool:
        """Whether a rule is evaluated when something of this type is told."""
        return event_type in self._by_type

    def announce(
        self, record: Record, event_type: str, data: Data, at: int, facts: Facts = NO_FACTS
    ) -> Fired:
        """Evaluate the rules that listen to what every customer is told of. It goes into no window:
        aggregates are read as they are at `at`."""
        listening = self._by_type.get(event_type)
        if listening is None:
            return NOTHING
        readings = self._aggregates.read(record.windows, at)
        return listening.apply(record, data, readings, facts, at)

    def lose(self, firing: Firing, error: Exception) -> None:
        """What a firing leads to cannot be made or sent. Here nobody asks why."""

    def date_wait(self, rule_id: str, kind: str) -> DateWait | None:
        """How a rule waits for dates of a kind; None where it does not, or is not in force."""
        return self._date_waits.get((rule_id, kind))

    def miss(self, rule_id: str, record: Record, timer: Timer) -> Fired:
        """Fire a rule that got no answer until its timer was due, if its gate is open then; nothing
        where it is no longer in force. It shows what it showed when it began to wait."""
        rule, at = self._waiting.get(rule_id), timer.due
        if rule is None or rule.checked.waits.absence is None or is_closed(rule, record, at):
            return NOTHING
        return Fired((fire(rule, dict(timer.values), record, at),))

    def would_miss(self, rule_id: str, record: Record, at: int) -> bool:
        """Whether `miss` would fire the rule, as things are now. Changes nothing."""
        rule = self._waiting.get(rule_id)
        absent = None if rule is None else rule.checked.waits.absence
        return rule is not None and absent is not None and not is_closed(rule, record, at)

    def in_silence(
        self, rule_id: str, record: Record, at: int, facts: Facts = NO_FACTS
    ) -> Fired | None:
        """Evaluate a rule whose score time alone may have changed; None where it is not in force,
        or time changes nothing any more until something is heard."""
        rule, lasts = self._silent.get(rule_id, (None, 0))
        if rule is None or at > record.activity.latest + lasts:
            return None
        seen = self._seen(record, silence.NOTHING, at, facts)
        return evaluate_each((rule,), record, seen)

    def room(self, event_type: str) -> tuple[int, int]:
        """How many timers an event of this type may set, and more bytes than what is kept for them
        and windows grow by, the event's own words not counted."""
        found = self._rooms.get(event_type)
        if found is None:
            found = self._rooms[event_type] = self._room(event_type)
        return found

    def _room(self, event_type: str) -> tuple[int, int]:
        dated = sum(wait.most for wait in self.waits.get(event_type, ()))
        listening, answers = self._by_type.get(event_type), self._listeners.get(event_type, ())
        absent = 0 if listening is None else listening.absences
        room = absent * absence.TIMER_BYTES + len(answers) * absence.ANSWER_BYTES
        takes_back = EVENT_TYPES[event_type].takes_back
        types = (event_type, *(takes_back.types if takes_back else ()))
        room += sum(map(self._aggregates.room, types))
        dated += len(self._quiet.get(event_type, ()))
        return dated + absent, dated * dates.TIMER_BYTES + room

    def wake(
        self, rule_id: str, record: Record, data: Data, at: int, facts: Facts = NO_FACTS
    ) -> Fired:
        """Evaluate a rule whose wait ended at `at`; nothing where it is no longer in force.

        `data` is what its event told of, as it is now.
        """
        rule = self._waiting.get(rule_id)
        if rule is None:
            return NOTHING
        return evaluate_each((rule,), record, self._seen(record, data, at, facts))

    def would_fire(
        self, rule_id: str, record: Record, data: Data, at: int, facts: Facts = NO_FACTS
    ) -> bool:
        """Whether `wake` would fire the rule, as things are now. Changes nothing."""
        rule = self._waiting.get(rule_id)
        if rule is None or is_closed(rule, record, at):
            return False
        try:
            return rule.evaluate(record, *self._seen(record, data, at, facts)) is not None
        except Exception:  # whatever a rule raises is its own loss alone
            return False

    def _seen(self, record: Record, data: Data, at: int, facts: Facts) -> Seen:
        return Seen(data, self._aggregates.read(record.windows, at), facts, at)

    def retract(self, record: Record, original: Input, era: int) -> None:
        """Take a reversed event out of the windows; `original` as it was when it was applied, in
        this era of the record's."""
        self._aggregates.remove(record.windows, original, era)

    def fill(
        self, record: Record, states: dict[str, list[Any]], era: int, reach: Reach = WHOLE
    ) -> None:
        """Put what came before windows began into them: states, by their keys. They hold the
        transfers that the record keeps, from an era on."""
        upto = {key: at for key in states if (at := reach.grown_after(key, 0)) is not None}
        self._aggregates.fill(record.windows, states, record.activity, era, upto)


def _mark(things: Sequence[object]) -> int:
    """One number that stands for what there is; 0 if there is nothing."""
    return crc32(repr(things).encode()) if things else 0


def _dates_mark(waits: Sequence[DateWait], calendar: Calendar) -> int:
    """Tells waits for dates from others; 0 if there are none."""
    in_business = any(wait.days.is_business for wait in waits)
    return _mark([*waits, calendar.definition] if in_business else waits)


def _changed(replayed: Replayed) -> list[Firing]:
    firings = []
    for one in replayed.changes:
        amends = Amends(one.at, one.source, one.id, one.version, one.change, one.things)
        rule = one.rule
        firings.append(
            Firing(rule.definition, one.values, one.withheld, amends=amends, choices=rule.choices)
        )
    return firings


def _by_type(waits: Iterable[DateWait]) -> Mapping[str, Sequence[DateWait]]:
    found: defaultdict[str, list[DateWait]] = defaultdict(list)
    for wait in waits:
        for event_type in wait.types:
            found[event_type].append(wait)
    return dict(found)


def _evaluated(running: Iterable[CompiledRule]) -> Mapping[str, Sequence[CompiledRule]]:
    """Event type → the rules that are evaluated at once: those that wait for a date are not."""
    found: defaultdict[str, list[CompiledRule]] = defaultdict(list)
    for rule in running:
        if not rule.checked.waits.dates:
            for event_type in dict.fromkeys(rule.definition.on):
                found[event_type].append(rule)
    return dict(found)


def _quiet(silent: Iterable[CompiledRule]) -> Mapping[str, Sequence[str]]:
    """Event type → keys of the timers that it sets anew."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for rule in silent:
        for event_type in dict.fromkeys(rule.definition.on):
            found[event_type].append(silence.key_of(rule.id))
    return dict(found)


def _listeners(running: Iterable[CheckedRule]) -> Mapping[str, Sequence[Listener]]:
    found: defaultdict[str, list[Listener]] = defaultdict(list)
    absences = (one for rule in running if (one := rule.waits.absence) is not None)
    for event_type, listener in absence.listeners(absences):
        found[event_type].append(listener)
    return dict(found)
