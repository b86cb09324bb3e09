"""One rule asked about one customer: as things are, or at an event that is archived."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from agents.backtest.afterwards import afterwards
from agents.backtest.announcements import Named, announcements
from agents.backtest.archived import ArchiveError
from agents.backtest.begins import whole_from
from agents.backtest.choice import ChoiceError, Known
from agents.backtest.not_stored import not_stored
from agents.backtest.of_customer import of_customer
from agents.backtest.past import Past
from agents.backtest.stood import History, Stretch
from agents.backtest.taken import Taken
from agents.backtest.turns import InTurn
from agents.core import core_settings
from config.settings import Settings
from schemas.envelope import Data
from schemas.events import INPUT_TOPICS
from schemas.position import Since
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.backtest.facts import FactsInTime
from streams.backtest.play import Trial, Turn, in_order, play_in_turn
from streams.context import CoreSettings
from streams.facts import Facts
from streams.inputs import Input
from streams.months import minute_at
from streams.reach import Reach
from streams.rules.aggregates import look_back
from streams.rules.asking import Asked, Changed, Why
from streams.rules.checked import CheckedRule, check_rule
from streams.rules.ends import Ended
from streams.rules.errors import RuleErrors
from streams.rules.hindrances import Gatekeeper
from streams.rules.register import RuleBook

_NO_EVENT = ("", "")
_NOT_IN_FORCE = "it is not in force: what only it looks back at is not in the record yet"
_AS_IF = "told as if it were live: when the event came it was not in force"
_WOULD = "told is what {0.id}@{0.version} would have done, had it always been in force"
_FROM_THEN_ON = (
    "here its windows begin when it came into force, {}, as those of workers did unless it was "
    "warmed (vipcare rules warm): then they knew of what came before, too"
)
_GONE = "when its wait was over the rule was not in force, or waited no more: nothing followed"
_IN_TURN = (
    "customers are told in turn, newcomers after what came with their first event: a worker may "
    "have known a little more of this one than is shown"
)
_CORRECTED = "it was corrected since: whoever is told of it after that hears of it as it is now"


class Answer(NamedTuple):
    answers: list[Why]
    event: str = ""
    """The event that was asked about, for people."""
    remarks: Sequence[str] = ()
    """What is to be known about it, for people."""
    whole_from: int = 0
    """From when on an archive that was played reaches back as far as the rule looks."""
    changes: Sequence[Changed] = ()
    ends: Sequence[Ended] = ()
    as_taken: bool = False
    """Events were played in the order in which a worker took them, not in that of their times."""
    stood: Stretch | None = None
    """How the rule stood when the event came, if that is known and it did."""
    has_history: bool = False
    """How it stood is known."""

    def with_status(self, status: Gatekeeper) -> "Answer":
        """With another one that says what the rule's status lets it do."""
        for one in self.answers:
            one.gates = [status if gate.name == "status" else gate for gate in one.gates]
        return self


def warm_from(
    settings: Settings, rule: RuleDefinition, known: Known, kept: Mapping[str, Since] | None
) -> int | None:
    """From when on a rule's windows reach back as far as it looks, epoch milliseconds; 0: they
    always did. None where that is not known. `kept` is what a partition keeps."""
    if kept is None or known.get(rule.id) != rule:
        return None
    core = core_settings(settings)
    looks = core.compiled([*known.values()]).looks_back(rule.id)
    return Reach(kept).warm_from(looks, core.time_zone)


def why_now(
    settings: Settings,
    rule: RuleDefinition,
    known: Known,
    record: Record,
    facts: Facts,
    now: int,
) -> Answer:
    """As things are in a record; `known` are the rules in force, `now` is the bank's time. Raises
    ChoiceError."""
    is_in_force = known.get(rule.id) == rule and rule.status in ("live", "shadow")
    asked = _asked(core_settings(settings), rule, [*known.values()], _NO_EVENT)
    return Answer(asked.now(record, now, facts), remarks=() if is_in_force else [_NOT_IN_FORCE])


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
    end = max(found.end, past.until)
    facts = FactsInTime(found.facts)
    inputs = [one.input for one in entries if one.input]
    kinds = {(one.event.source, one.event.id): one.type for one in inputs}
    broadcasts = announcements(core, facts, [raw for _, raw in found.facts])
    kinds |= {name: several[0].type for name, several in broadcasts.items()}
    named = _named(event, customer, kinds, past.removed)
    kind = kinds[named]
    told_of = [one.data for one in broadcasts.get(named, ())]
    mine = [one for one in inputs if (one.event.source, one.event.id) == named]
    came = _came(mine[0], found.sent, taken) if mine else broadcasts[named][0].at
    history = History.of(settings, book, rule.id)
    others = [one for one in known.values() if one.id != rule.id]
    in_turn = InTurn(core, others, history, taken, found.sent, entries)
    place = in_turn.place(mine[0]) if mine else history.place_at(came)
    stood = history[place]
    own = stood if stood is not None and stood.is_of(rule) else None
    status = _AS_IF if history.stretches and own is None else ""
    base = rule if own is None else own.rule
    asked = _asked(core, base, [*known.values()], named, told_of, status)
    if own is None:
        turns: list[Turn] = [(entries, Trial(asked, core, facts, end))]
    else:
        turns = in_turn.turns(asked, facts, end)
    play_in_turn(customer, turns)
    answers = [*asked.answers.values()]
    remarks = [past.removed] if past.removed else []
    remarks += _of_history(history, place, rule, came, core, taken)
    remarks += [f"{name} cannot run any more: {why}" for name, why in in_turn.problems.items()]
    if past.is_stored and (looks := not_stored([rule], core)):
        remarks.append(f"ClickHouse does not keep {' nor '.join(looks[rule.id])}: unknown here")
    if kind not in rule.on:
        remarks.append(f"it listens to {', '.join(rule.on)}, not to {kind}")
    elif not answers:
        remarks.append(_unreached(told_of, inputs))
    elif told_of:
        remarks += [_CORRECTED, _IN_TURN] if len(told_of) > 1 else [_IN_TURN]
    for one in mine[:1]:
        remarks += afterwards(one, asked, inputs, rule, core.time_zone)
    if any(_ran_out(asked, one, end) for one in answers):
        remarks.append(_GONE)
    begins = dict.fromkeys(INPUT_TOPICS, found.begin) if past.begins is None else past.begins
    return Answer(
        answers,
        f"{kind} {event}",
        remarks,
        whole_from(asked.rule, 0, begins, core.time_zone),
        [*asked.changes.values()],
        asked.ends,
        as_taken=taken is not None and all(one in taken for one in mine[:1]),
        stood=stood,
        has_history=bool(history.stretches),
    )


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
        yield (
            f"{stood.name} was in force when the event came, as {stood.status}; "
            + _WOULD.format(rule)
        )
    elif not history.is_open and not (taken is not None and taken.reaches):
        checked = check_rule(rule, core.attributes, core.greetings)
        looks = map(look_back, checked.aggregates() if isinstance(checked, CheckedRule) else ())
        if any(one.warm_from(first.since, core.time_zone) > came for one in looks):
            yield _FROM_THEN_ON.format(since)


def _ran_out(asked: Asked, one: Why, end: int) -> bool:
    """Whether a wait was over without the rule."""
    is_told = {at for when, at in asked.answers if when in ("answer", "timer")}
    is_told |= {each.due for each in asked.ends}
    return any(wait.due <= end and wait.due not in is_told for wait in one.waits if not wait.fired)


def _came(one: Input, sent: Mapping[tuple[str, int], int], taken: Taken | None) -> int:
    at = None if taken is None else taken.at(one)
    return at if at is not None else sent.get((one.topic, one.offset), one.at)


def _unreached(told_of: Sequence[Data], inputs: Sequence[Input]) -> str:
    if not told_of:
        return "it did not reach the customer: a duplicate, a dead letter, too old"
    if not inputs:
        return "the archive has no event of the customer, so nobody was there to be told of it"
    return "the customer was not told of it: it was over, or taken back, when the customer came"


def _named(event: str, customer: str, known: Iterable[Named], removed: str) -> Named:
    """The event of an id, or of a source and an id: two sources may use one id. Raises
    ArchiveError."""
    found = [one for one in known if event in (one[1], "/".join(one))]
    if not found:
        raise ArchiveError(
            f"there is no event {event} of customer {customer} in the archive: "
            "is it the CloudEvents id, as ClickHouse's events and a task's cause have it?"
            + (f" {removed}" if removed else "")
        )
    if len(found) > 1:
        several = ", ".join(sorted(map("/".join, found)))
        raise ArchiveError(f"several events have the id {event}: name one of {several}")
    return found[0]


def _asked(
    core: CoreSettings,
    rule: RuleDefinition,
    known: list[RuleDefinition],
    event: Named,
    broadcast: Sequence[Data] = (),
    status: str = "",
) -> Asked:
    others = [one for one in known if one.id != rule.id]
    live = rule.model_copy(update={"status": "live"})
    checked = check_rule(live if status else rule, core.attributes, core.greetings)
    if not isinstance(checked, CheckedRule):  # nobody looks after a retired one
        raise ChoiceError(f"{rule.id}@{rule.version} cannot run any more: {checked[0]}")
    try:
        rules = core.compiled([*others, live])
    except RuleErrors as error:
        raise ChoiceError(f"{rule.id}@{rule.version} does not go with others: {error}") from None
    return Asked(rules, checked, event, core.time_zone, broadcast, status)
