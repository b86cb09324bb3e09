"""One rule asked about one customer, at an event that is archived."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec
from msgspec import Struct

from agents.backtest.afterwards import afterwards
from agents.backtest.announcements import Named, announcements
from agents.backtest.archived import ArchiveError
from agents.backtest.begins import whole_from
from agents.backtest.choice import Known
from agents.backtest.not_stored import not_stored
from agents.backtest.of_customer import of_customer
from agents.backtest.past import Past
from agents.backtest.stood import History
from agents.backtest.taken import Taken
from agents.backtest.turns import InTurn, times_of
from agents.backtest.why import Answer, asked_about
from agents.core import core_settings
from config.settings import Settings
from schemas.envelope import Data
from schemas.events import INPUT_TOPICS
from schemas.rules import RuleDefinition
from streams.announced import Announced
from streams.backtest.facts import FactsInTime
from streams.backtest.play import Trial, Turn, in_order, play_in_turn
from streams.context import CoreSettings
from streams.inputs import Input
from streams.intake import Entry
from streams.months import minute_at
from streams.rules.aggregates import look_back
from streams.rules.asking import Asked
from streams.rules.checked import CheckedRule, check_rule
from streams.rules.register import RuleBook

_AS_IF = "told as if it were live: when the event came it was not in force"
_WOULD = "told is what {0.id}@{0.version} would have done, had it always been in force"
_FROM_THEN_ON = (
    "here its windows begin when it came into force, {}, as those of workers did unless it was "
    "warmed (vipcare rules warm): then they knew of what came before, too"
)
_IN_TURN = (
    "customers are told in turn, newcomers after what came with their first event: a worker may "
    "have known a little more of this one than is shown"
)
_CORRECTED = "it was corrected since: whoever is told of it after that hears of it as it is now"


def why_then(
    settings: Settings,
    rule: RuleDefinition,
    known: Known,
    customer: str,
    event: str,
    past: Past,
    now: int,
    book: RuleBook | None = None,
) -> Answer:
    """As an archived event came, and as what the rule waited for after it ended: the customer's
    events are played up to the end of the archive. If the rule stood so when the event came, as the
    register (`book`) tells it, it is told what it did; otherwise what it would have done, had it
    always been in force. Raises ArchiveError, ChoiceError and RegisterError."""
    core = core_settings(settings)
    found = of_customer(customer, past.events, core, now)
    taken, entries = past.taken, found.entries
    entries = in_order(entries) if taken is None else taken.in_order(entries)
    facts = FactsInTime(found.facts)
    broadcasts = announcements(core, facts, [raw for _, raw in found.facts])
    about = _about(event, customer, entries, broadcasts, past)

    history = History.of(settings, book, rule.id)
    others = [one for one in known.values() if one.id != rule.id]
    in_turn = InTurn(core, others, history, taken, found.sent, entries)
    came = about.came(found.sent, taken)
    place = history.place_at(came) if about.own is None else in_turn.place(about.own)
    stood = history[place]
    own = stood if stood is not None and stood.is_of(rule) else None
    status = _AS_IF if history.stretches and own is None else ""
    base = rule if own is None else own.rule
    asked = asked_about(core, base, others, about.named, about.told_of, status)

    end = max(found.end, past.until)
    times = times_of(entries, taken, end)
    always = [Turn(entries, Trial(asked, core, facts, end), times)]
    play_in_turn(customer, always if own is None else in_turn.turns(asked, facts, end))
    remarks = [past.removed] if past.removed else []
    remarks += _of_history(history, place, rule, came, core, taken)
    remarks += [f"{name} cannot run any more: {why}" for name, why in in_turn.problems.items()]
    reached = end if times is None else times.until
    remarks += _of_event(about, rule, asked, core, reached, past)
    begins = dict.fromkeys(INPUT_TOPICS, found.begin) if past.begins is None else past.begins
    return Answer(
        [*asked.answers.values()],
        f"{about.type} {event}",
        remarks,
        whole_from(asked.rule, 0, begins, core.time_zone),
        [*asked.changes.values()],
        asked.ends,
        as_taken=taken is not None and (about.own is None or about.own in taken),
        stood=stood,
        has_history=bool(history.stretches),
    )


class _About(NamedTuple):
    """The event that the rule is asked about."""

    named: Named
    type: str
    inputs: list[Input]
    """All events of the customer."""
    own: Input | None
    """None for one that everybody is told of."""
    told_of: list[Data]
    """What everybody is told of by it, more than once if it was corrected."""
    told_at: int
    """When that is, epoch milliseconds."""

    def came(self, sent: Mapping[tuple[str, int], int], taken: Taken | None) -> int:
        """Bank time, epoch milliseconds."""
        one = self.own
        if one is None:
            return self.told_at
        at = None if taken is None else taken.at(one)
        return at if at is not None else sent.get((one.topic, one.offset), one.at)


def _about(
    event: str,
    customer: str,
    entries: Sequence[Entry],
    broadcasts: Mapping[Named, list[Announced]],
    past: Past,
) -> _About:
    inputs = [one.input for one in entries if one.input]
    types = {(one.event.source, one.event.id): one.type for one in inputs}
    types |= {name: several[0].type for name, several in broadcasts.items()}
    named = _named(event, customer, types, entries, past.removed)
    told = broadcasts.get(named, [])
    mine = (one for one in inputs if (one.event.source, one.event.id) == named)
    return _About(
        named,
        types[named],
        inputs,
        next(mine, None),
        [one.data for one in told],
        told[0].at if told else 0,
    )


def _named(
    event: str, customer: str, known: Iterable[Named], entries: Iterable[Entry], removed: str
) -> Named:
    """The event of an id, or of a source and an id: two sources may use one id. Raises
    ArchiveError."""
    found = [one for one in known if event in (one[1], "/".join(one))]
    if not found:
        if refused := _refused(event, entries):
            raise ArchiveError(f"event {event} of customer {customer} is a dead letter ({refused})")
        raise ArchiveError(
            f"there is no event {event} of customer {customer} in the archive: "
            "is it the CloudEvents id, as ClickHouse's events and a task's cause have it?"
            + (f" {removed}" if removed else "")
        )
    if len(found) > 1:
        several = ", ".join(sorted(map("/".join, found)))
        raise ArchiveError(f"several events have the id {event}: name one of {several}")
    return found[0]


class _Names(Struct):
    """Of what is perhaps no event."""

    source: str = ""
    id: str = ""


_names_of = msgspec.json.Decoder(_Names).decode


def _refused(event: str, entries: Iterable[Entry]) -> str:
    """Why nobody was told of an event."""
    for problem, raw in ((one.problem, one.raw) for one in entries):
        if problem is not None:
            with suppress(msgspec.MsgspecError, UnicodeError):
                names = _names_of(raw.value or b"")
                if event in (names.id, f"{names.source}/{names.id}"):
                    return f"{problem.reason}: {problem.detail}"
    return ""


def _of_history(
    history: History,
    place: int,
    rule: RuleDefinition,
    came: int,
    core: CoreSettings,
    taken: Taken | None,
) -> Iterator[str]:
    """What is to be known of how the rule stood when the event came, for people."""
    if not history.stretches:
        return
    first, stood = history.stretches[0], history[place]
    since = minute_at(first.since, core.time_zone)
    if place == 0 and history.is_open:
        yield f"the register begins {since}: what was in force when the event came is unknown"
    elif stood is None:
        yield (
            f"no version of {rule.id} was in force when the event came: the first came into force "
            f"{since}; {_WOULD.format(rule)}"
        )
    elif not stood.is_of(rule):
        how = f"in force when the event came, as {stood.status}"
        if not stood.runs:
            how = f"not in force when the event came, but {stood.status}"
        yield f"{stood.name} was {how}; {_WOULD.format(rule)}"
    elif not history.is_open and not (taken is not None and taken.reaches):
        checked = check_rule(rule, core.attributes, core.greetings)
        looks = map(look_back, checked.aggregates() if isinstance(checked, CheckedRule) else ())
        if any(one.warm_from(first.since, core.time_zone) > came for one in looks):
            yield _FROM_THEN_ON.format(since)


def _of_event(
    about: _About, rule: RuleDefinition, asked: Asked, core: CoreSettings, end: int, past: Past
) -> Iterator[str]:
    """What is to be known of the event and of what became of it, for people."""
    if past.is_stored and (looks := not_stored([rule], core)):
        yield f"ClickHouse does not keep {' nor '.join(looks[rule.id])}: unknown here"
    if about.type not in rule.on:
        yield f"it listens to {', '.join(rule.on)}, not to {about.type}"
    elif not asked.answers:
        yield _unreached(about)
    elif about.told_of:
        yield from [_CORRECTED, _IN_TURN] if len(about.told_of) > 1 else [_IN_TURN]
    if about.own is not None:
        yield from afterwards(about.own, asked, about.inputs, rule, core.time_zone, end)


def _unreached(about: _About) -> str:
    if not about.told_of:
        return "it did not reach the customer: a duplicate, a dead letter, too old"
    if not about.inputs:
        return "the archive has no event of the customer, so nobody was there to be told of it"
    return "the customer was not told of it: it was over, or taken back, when the customer came"
