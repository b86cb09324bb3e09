"""The rules in force: compiled once, applied to every event of a customer."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from hashlib import sha256
from typing import NamedTuple
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace
from pydantic import BaseModel

from schemas.effects import Change, Withheld
from schemas.envelope import Data
from schemas.record import Record
from schemas.rule_parts import Text
from schemas.rule_scores import Score
from schemas.rules import RuleDefinition
from streams.attributes import NONE_DECLARED, Attributes
from streams.calendar import WEEKENDS_ONLY, Calendar
from streams.durations import DAY_MS
from streams.expressions.nodes import Aggregate
from streams.expressions.values import render
from streams.facts import NO_FACTS, Facts
from streams.greetings import NO_GREETINGS, Greetings
from streams.inputs import Input
from streams.rules.aggregates import UNKNOWN, Aggregates, Numbers, Readings, Unknown
from streams.rules.amending import Amending, Replayed, kept_values, settle_all
from streams.rules.checked import CheckedRule, check_rule
from streams.rules.compiled import CompiledRule, compile_together
from streams.rules.errors import RuleErrors, RuleProblem
from streams.rules.gate import withheld
from streams.rules.scores import MAX_SCORES, keep, reckon, said
from streams.waits import absence
from streams.waits.absence import Listener, Waiting
from streams.waits.dates import DateWait
from streams.waits.days import Bank


class Amends(NamedTuple):
    """What a firing changes of what the rule did at an event before."""

    at: int
    """The time of that event, epoch milliseconds."""
    source: str
    id: str
    version: int
    change: Change


class Firing(NamedTuple):
    """A rule whose condition held, with the values that made it so, as text."""

    rule: RuleDefinition
    values: dict[str, str]
    withheld: Withheld | None = None
    """Why its actions are not done."""
    reasons: tuple[Text, ...] = ()
    """Of a score: those of the signals that hold."""
    amends: Amends | None = None
    """None: it fired on the event of the step."""


class Fired(Struct, frozen=True):
    firings: Sequence[Firing] = ()
    failed: Sequence[str] = ()
    """Ids of the rules that raised: they lose their effects, the fold stands."""
    waiting: Sequence[Waiting] = ()
    """Rules that fire later, unless an answer comes."""
    scored: bool = False
    """A score in the profile is another one."""
    amendable: Sequence[Firing] = ()
    """Of rules that can be amended: what fires if nothing that is known came after the event."""


_NONE = Fired()
_AT_ONCE = 10
"""So many rules are checked without a pause for others."""
_MOST_UNUSED = 1_000
"""So many aggregates that no rule asks for any more are numbered still."""
TIMER_BYTES = 256
"""More than a timer that waits for a date takes."""


class _Seen(NamedTuple):
    """What rules look at besides the record."""

    data: Data
    readings: Readings | Unknown
    facts: Facts
    at: int
    """The event's time, or when the timer was due; epoch milliseconds."""


class RuleSet:
    """An immutable set of rules. Live and shadow ones run; all but the retired are checked."""

    def __init__(
        self,
        definitions: Sequence[RuleDefinition],
        digest: str,
        running: Sequence[CompiledRule],
        aggregates: Aggregates,
        bank: Bank,
        together: Callable[[Sequence[CompiledRule]], "_Listening"],
        amending: Amending | None,
    ) -> None:
        """`running` are sorted by id; `together` makes one function of several; `amending` is of
        those that can be amended, None if none can."""
        self.definitions = tuple(definitions)
        self.digest = digest
        """Of the rules, the attributes that they can use, the calendar and the greetings: what they
        say follows from all of them."""
        self.running = len(running)
        """How many run, live or in shadow."""
        self._aggregates = aggregates
        self._ids = frozenset(rule.id for rule in self.definitions)
        self._listeners = _listeners([rule.checked for rule in running])
        self._answers = {one.key for group in self._listeners.values() for one in group}
        amendable = () if amending is None else amending.marks
        self.mark = _mark(sorted((*self._aggregates.keys, *self._ids, *self._answers, *amendable)))
        """Tells rules that keep other things in a record from these."""
        self._amending = amending
        self.bank = bank
        dates = [wait for rule in running for wait in rule.checked.waits.dates]
        dates.sort(key=lambda wait: (wait.rule, wait.kind))
        self._date_waits = {(wait.rule, wait.kind): wait for wait in dates}
        self._waits = _by_type(dates)
        self.date_waits = tuple(dates)
        self.dates_mark = _dates_mark(dates, bank.calendar)
        self._waiting = {rule.id: rule for rule in running if rule.definition.wait is not None}
        by_type: dict[str, list[CompiledRule]] = {}
        for rule in running:
            if not rule.checked.waits.dates:
                for event_type in dict.fromkeys(rule.definition.on):
                    by_type.setdefault(event_type, []).append(rule)
        self._by_type = {event_type: together(rules) for event_type, rules in by_type.items()}
        self._rooms: dict[str, tuple[int, int]] = {}
        """What `room` reckoned, by event type."""
        self._types = self._aggregates.types | by_type.keys() | self._listeners.keys()

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
        whose condition holds fires if its gate is open, or begins to wait for an answer. To rules
        that can be amended an event whose reversal came before it (`reversed_`) never was.
        """
        if event.type not in self._types:
            return _NONE
        activity, at = record.activity, event.at
        if late:
            readings: Readings | Unknown = UNKNOWN
        else:
            latest = max(activity.latest, at)
            readings = self._aggregates.add(record.windows, event, latest, activity.era)
        if (listeners := self._listeners.get(event.type)) is not None:
            absence.answer(record, event, listeners)
        fired, listening = _NONE, self._by_type.get(event.type)
        if listening is not None:
            fired = listening.apply(record, _Seen(event.event.data, readings, facts, at))
            for one in fired.waiting:
                absence.begin(record, event, one)
        if self._amending is None or reversed_ or not self._amending.listens(event.type):
            return fired
        return self._amend(self._amending, record, event, fired, late=late)

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

    def amend(self, record: Record, original: Input) -> Fired:
        """What the rules that can be amended do about an event that was taken out of the windows
        by `retract`."""
        if self._amending is None:
            return _NONE
        replayed = self._amending.take_back(record, original)
        return also(_NONE, _changed(replayed), replayed.failed)

    def forget_others(self, record: Record) -> None:
        """Take out of a record what rules that are gone kept there.

        A window whose rule comes back begins anew: it would lack what happened meanwhile.
        """
        windows, activity = record.windows, record.activity
        for key in [key for key in windows if key not in self._aggregates.keys]:
            windows.remove(key)
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
        # Windows that begin from now on hold none of the transfers that are kept.
        activity.era += bool(activity.transfers)
        activity.rules = self.mark

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
            return _NONE
        readings = self._aggregates.read(record.windows, at)
        return listening.apply(record, _Seen(data, readings, facts, at))

    def waits(self, event_type: str) -> Sequence[DateWait]:
        """The rules that wait for a date which an event of this type may tell, move or end."""
        return self._waits.get(event_type, ())

    def date_wait(self, rule_id: str, kind: str) -> DateWait | None:
        """How a rule waits for dates of a kind; None where it does not, or is not in force."""
        return self._date_waits.get((rule_id, kind))

    def miss(self, rule_id: str, record: Record, values: Mapping[str, str], at: int) -> Fired:
        """Fire a rule that got no answer until `at`, if its gate is open then; nothing where it is
        no longer in force. `values` are what it showed when it began to wait."""
        rule = self._waiting.get(rule_id)
        if rule is None or rule.checked.waits.absence is None or _is_closed(rule, record, at):
            return _NONE
        return Fired((_fire(rule, dict(values), record, at),))

    def would_miss(self, rule_id: str, record: Record, at: int) -> bool:
        """Whether `miss` would fire the rule, as things are now. Changes nothing."""
        rule = self._waiting.get(rule_id)
        absent = None if rule is None else rule.checked.waits.absence
        return rule is not None and absent is not None and not _is_closed(rule, record, at)

    def room(self, event_type: str) -> tuple[int, int]:
        """How many timers an event of this type may set, and more bytes than what is kept for them
        takes, the event's own words not counted."""
        found = self._rooms.get(event_type)
        if found is None:
            found = self._rooms[event_type] = self._room(event_type)
        return found

    def _room(self, event_type: str) -> tuple[int, int]:
        dated = sum(wait.most for wait in self.waits(event_type))
        listening, answers = self._by_type.get(event_type), self._listeners.get(event_type, ())
        absent = 0 if listening is None else listening.absences
        room = absent * absence.TIMER_BYTES + len(answers) * absence.ANSWER_BYTES
        if self._amending is not None:
            room += self._amending.room(event_type)
        return dated + absent, dated * TIMER_BYTES + room

    def wake(
        self, rule_id: str, record: Record, data: Data, at: int, facts: Facts = NO_FACTS
    ) -> Fired:
        """Evaluate a rule whose wait ended at `at`; nothing where it is no longer in force.

        `data` is what its event told of, as it is now.
        """
        rule = self._waiting.get(rule_id)
        if rule is None:
            return _NONE
        return _try((rule,), record, self._seen(record, data, at, facts))

    def would_fire(
        self, rule_id: str, record: Record, data: Data, at: int, facts: Facts = NO_FACTS
    ) -> bool:
        """Whether `wake` would fire the rule, as things are now. Changes nothing."""
        rule = self._waiting.get(rule_id)
        if rule is None or _is_closed(rule, record, at):
            return False
        try:
            return bool(rule.evaluate(record, *self._seen(record, data, at, facts)))
        except Exception:  # whatever a rule raises is its own loss alone
            return False

    def _seen(self, record: Record, data: Data, at: int, facts: Facts) -> _Seen:
        return _Seen(data, self._aggregates.read(record.windows, at), facts, at)

    def retract(self, record: Record, original: Input, era: int) -> None:
        """Take a reversed event out of the windows; `original` as it was when it was applied, in
        this era of the record's."""
        self._aggregates.remove(record.windows, original, era)


def _mark(things: Sequence[object]) -> int:
    """One number that stands for what there is; 0 if there is nothing."""
    return crc32(repr(things).encode()) if things else 0


def _dates_mark(waits: Sequence[DateWait], calendar: Calendar) -> int:
    """Tells waits for dates from others; 0 if there are none."""
    in_business = any(wait.days.is_business for wait in waits)
    return _mark([*waits, calendar.definition] if in_business else waits)


def also(fired: Fired, firings: Sequence[Firing], failed: Sequence[str] = ()) -> Fired:
    """With more that fired, all in the order of rules."""
    if not firings and not failed:
        return fired
    every = sorted([*fired.firings, *firings], key=lambda one: one.rule.id)
    return replace(fired, firings=every, failed=[*fired.failed, *failed], amendable=())


def _changed(replayed: Replayed) -> list[Firing]:
    firings = []
    for one in replayed.changes:
        amends = Amends(one.at, one.source, one.id, one.version, one.change)
        firings.append(Firing(one.rule.definition, one.values, one.withheld, amends=amends))
    return firings


def _by_type(waits: Iterable[DateWait]) -> Mapping[str, Sequence[DateWait]]:
    found: defaultdict[str, list[DateWait]] = defaultdict(list)
    for wait in waits:
        for event_type in wait.types:
            found[event_type].append(wait)
    return dict(found)


def _listeners(running: Iterable[CheckedRule]) -> Mapping[str, Sequence[Listener]]:
    found: defaultdict[str, list[Listener]] = defaultdict(list)
    absences = (one for rule in running if (one := rule.waits.absence) is not None)
    for event_type, listener in absence.listeners(absences):
        found[event_type].append(listener)
    return dict(found)


class _Listening:
    """The rules that listen to an event type, in one function: most are looked at and do not
    hold."""

    __slots__ = ("absences", "evaluate", "rules")

    def __init__(
        self, rules: Sequence[CompiledRule], number_of: Callable[[Aggregate], int], zone: tzinfo
    ) -> None:
        self.rules = rules
        self.absences = sum(rule.checked.waits.absence is not None for rule in rules)
        self.evaluate = compile_together([rule.checked for rule in rules], number_of, zone)

    def apply(self, record: Record, seen: _Seen) -> Fired:
        """What evaluating them one by one gives, see `_try`."""
        try:
            held = self.evaluate(record, *seen)
        except Exception:  # whatever a rule raises is its own loss alone: which is it?
            return _try(self.rules, record, seen)
        if not held:
            return _NONE
        return _settle(((self.rules[place], values) for place, values in held), (), record, seen.at)


def _try(rules: Iterable[CompiledRule], record: Record, seen: _Seen) -> Fired:
    """Evaluate rules whose gate is open, one by one: which fired, which wait for an answer, and
    which raised. What no gate ends, waiting and scores, goes on behind a closed one."""
    held: list[tuple[CompiledRule, Sequence[object]]] = []
    failed: list[str] = []
    for rule in rules:
        goes_on = rule.checked.waits.absence is not None or rule.definition.score is not None
        if not goes_on and _is_closed(rule, record, seen.at):
            continue
        try:
            found = rule.evaluate(record, *seen)
        except Exception:  # whatever a rule raises is its own loss alone
            failed.append(rule.id)
            continue
        held += [(rule, values) for _, values in found]
    return _settle(held, failed, record, seen.at)


def _settle(
    held: Iterable[tuple[CompiledRule, Sequence[object]]],
    failed: Sequence[str],
    record: Record,
    at: int,
) -> Fired:
    """What follows from rules whose condition holds, all of them evaluated: whoever fires notes it
    in its gate, whoever scores in the profile. What a rule shows is made before that, so one that
    raises there has noted nothing."""
    firings: list[Firing] = []
    failed = [*failed]
    waiting: list[Waiting] = []
    amendable: list[Firing] = []
    scored = False
    for rule, values in held:
        try:
            if (absent := rule.checked.waits.absence) is not None:
                waiting.append(Waiting(absent, _shown(rule, values)))
            elif rule.definition.score is not None:
                scored |= _score(rule, rule.definition.score, values, record, at, firings)
            elif not _is_closed(rule, record, at):
                if rule.definition.amendable:
                    amendable.append(_fire(rule, kept_values(rule, values), record, at))
                else:
                    firings.append(_fire(rule, _shown(rule, values), record, at))
        except Exception:  # whatever a rule raises is its own loss alone
            failed.append(rule.id)
    if firings or failed or waiting or scored or amendable:
        return Fired(firings, failed, tuple(waiting), scored, tuple(amendable))
    return _NONE


def _score(
    rule: CompiledRule,
    definition: Score,
    values: Sequence[object],
    record: Record,
    at: int,
    firings: list[Firing],
) -> bool:
    """Keep the rule's score, and fire it where that becomes high; whether it is another one."""
    own = len(rule.names)
    found = reckon(record, definition, map(bool, values[own:]), at)
    if found is None:
        return False
    score = found.score
    if found.crosses(definition) and not _is_closed(rule, record, at):
        score = replace(score, raised=True)
        shown = _shown(rule, values[:own]) | {"score": str(score.points)}
        reasons = tuple(one.reason for one in found.reasons)
        shown["reasons"] = said(reasons, "en", shown)
        firings.append(_fire(rule, shown, record, at)._replace(reasons=reasons))
    return keep(record, definition.name, score)


def _is_closed(rule: CompiledRule, record: Record, at: int) -> bool:
    return rule.gate is not None and rule.gate.closed(record, at) is not None


def _shown(rule: CompiledRule, values: Iterable[object]) -> dict[str, str]:
    return dict(zip(rule.names, map(render, values), strict=True))


def _fire(rule: CompiledRule, shown: dict[str, str], record: Record, at: int) -> Firing:
    if rule.gate is not None:
        rule.gate.note(record.activity, at)
    return Firing(rule.definition, shown, withheld(rule.definition, record.customer))


class Compiler:
    """Checks and compiles one set of rules after the other; what a set has in common with the one
    before is not made again.

    `lateness` (milliseconds) is how late an event may come and still be put into windows, `zone`
    the one of calendar months, `calendar` the one of business days, `greetings` the templates: the
    same as the step's. `breathe` is called after every few milliseconds of work, so that whoever
    shares the interpreter gets on.
    """

    def __init__(
        self,
        *,
        breathe: Callable[[], None] = lambda: None,
        lateness: int = 30 * DAY_MS,
        attributes: Attributes = NONE_DECLARED,
        zone: tzinfo = UTC,
        calendar: Calendar = WEEKENDS_ONLY,
        greetings: Greetings = NO_GREETINGS,
    ) -> None:
        self._breathe = breathe
        self._lateness = lateness
        self._attributes = attributes
        self._zone = zone
        self._greetings = greetings
        self._bank = Bank(zone, calendar)
        used = (*attributes.declared.values(), calendar.definition, *greetings.definitions)
        self._used = [_text(one) for one in used]
        self._before = _Made()

    def compile(self, definitions: Sequence[RuleDefinition]) -> RuleSet:
        """Raises RuleErrors with everything that is wrong."""
        before = self._before
        if len(before.numbers) > _MOST_UNUSED + 2 * before.asked:
            before = _Made()
        made = _Made(before.numbers)
        texts = [_text(one) for one in definitions]
        self._breathe()
        made.checked = self._check(definitions, texts, before)
        running = {
            text: one for text, one in made.checked.items() if one.definition.status != "draft"
        }
        asked = dict.fromkeys(one for rule in running.values() for one in rule.aggregates())
        made.asked = len(asked)
        self._breathe()
        aggregates = Aggregates(asked, self._lateness, self._zone, made.numbers)
        self._breathe()
        number_of = aggregates.number_of
        for text, one in running.items():
            known = before.compiled.get(text)
            made.compiled[text] = known or CompiledRule(one, number_of, self._zone)

        def together(rules: Sequence[CompiledRule]) -> _Listening:
            key = tuple(rules)
            known = made.listening.get(key) or before.listening.get(key)
            if (found := known) is None:
                found = _Listening(key, number_of, self._zone)
                self._breathe()
            made.listening[key] = found
            return found

        digest = sha256("\n".join(sorted([*texts, *self._used])).encode()).hexdigest()
        by_id = sorted(made.compiled.values(), key=lambda one: one.id)
        amending = self._amending(by_id, made.numbers)
        rules = RuleSet(definitions, digest, by_id, aggregates, self._bank, together, amending)
        self._before = made
        return rules

    def _amending(self, running: Sequence[CompiledRule], numbers: Numbers) -> Amending | None:
        rules = [one for one in running if one.definition.amendable]
        if not rules:
            return None
        asked = (one for rule in rules for one in rule.checked.aggregates())
        aggregates = Aggregates(asked, self._lateness, self._zone, numbers)
        return Amending(rules, aggregates, self._lateness)

    def _check(
        self, definitions: Sequence[RuleDefinition], texts: Sequence[str], before: "_Made"
    ) -> dict[str, CheckedRule]:
        """By their texts, those that are not retired."""
        problems = [
            *_doubles(definitions),
            *_scored_twice(definitions),
            *_too_many_scores(definitions),
        ]
        checked: dict[str, CheckedRule] = {}
        new = 0
        for rule, text in zip(definitions, texts, strict=True):
            if rule.status != "retired":
                found: CheckedRule | list[RuleProblem] | None = before.checked.get(text)
                if found is None:
                    found = check_rule(rule, self._attributes, self._greetings)
                    new += 1
                    if new % _AT_ONCE == 0:
                        self._breathe()
                if isinstance(found, list):
                    problems += found
                else:
                    checked[text] = found
        if problems:
            raise RuleErrors(problems)
        return checked


@dataclass
class _Made:
    """What a set was made of, by the texts of its rules."""

    numbers: Numbers = field(default_factory=Numbers)
    asked: int = 0
    """How many of them the set asks for."""
    checked: dict[str, CheckedRule] = field(default_factory=dict)
    compiled: dict[str, CompiledRule] = field(default_factory=dict)
    listening: dict[tuple[CompiledRule, ...], _Listening] = field(default_factory=dict)


def compile_rules(
    definitions: Sequence[RuleDefinition],
    *,
    lateness: int = 30 * DAY_MS,
    attributes: Attributes = NONE_DECLARED,
    zone: tzinfo = UTC,
    calendar: Calendar = WEEKENDS_ONLY,
    greetings: Greetings = NO_GREETINGS,
) -> RuleSet:
    """Check and compile one set, see Compiler. Raises RuleErrors with everything that is wrong."""
    compiler = Compiler(
        lateness=lateness,
        attributes=attributes,
        zone=zone,
        calendar=calendar,
        greetings=greetings,
    )
    return compiler.compile(definitions)


def _doubles(definitions: Iterable[RuleDefinition]) -> Iterable[RuleProblem]:
    seen: set[str] = set()
    for rule in definitions:
        if rule.id in seen:
            yield RuleProblem(rule.id, "id", 0, "another rule has the same id")
        seen.add(rule.id)


def _scored_twice(definitions: Iterable[RuleDefinition]) -> Iterable[RuleProblem]:
    of: dict[str, str] = {}
    for rule in definitions:
        if rule.score is not None and rule.status != "retired":
            name = rule.score.name
            if name in of:
                message = f"the rule {of[name]} has a score of this name already"
                yield RuleProblem(rule.id, "score.name", 0, message)
            of.setdefault(name, rule.id)


def _too_many_scores(definitions: Iterable[RuleDefinition]) -> Iterable[RuleProblem]:
    """A record keeps MAX_SCORES; one that falls off would be high anew with each event."""
    kept = [one for one in definitions if one.score and one.status not in ("draft", "retired")]
    for rule in kept[MAX_SCORES:]:
        message = f"{len(kept)} rules have a score: a customer keeps {MAX_SCORES}"
        yield RuleProblem(rule.id, "score", 0, message)


def _text(definition: BaseModel) -> str:
    """What a definition is told by; examples change nothing of what a rule does."""
    return definition.model_dump_json(by_alias=True, exclude={"examples"})


NO_RULES = compile_rules([])
