"""One rule asked about one customer: as things are, or at an event that is archived."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import tzinfo
from typing import NamedTuple

from msgspec.structs import replace

from agents.backtest.afterwards import afterwards
from agents.backtest.archived import UNKNOWN, Archived, ArchiveError
from agents.backtest.choice import ChoiceError, Known
from agents.backtest.past import Past
from agents.backtest.spill import mirror_of, time_and_type
from agents.backtest.taken import Taken
from agents.core import core_settings
from config.settings import Settings
from schemas.decode import BrokenEventError, UnknownTypeError, decode_fact
from schemas.envelope import Data
from schemas.events import EVENT_TYPES, INPUT_TOPICS
from schemas.events.campaign import CAMPAIGNS
from schemas.events.reference import GLOBAL_TOPICS
from schemas.position import Since
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.announced import Announced
from streams.backtest.facts import FactsInTime
from streams.backtest.play import Trial, in_order, play
from streams.context import CoreSettings
from streams.facts import Facts
from streams.inputs import Input, Raw
from streams.intake import Entry, read
from streams.mirror import MIRRORED
from streams.partitioning import partition_of
from streams.reach import Reach
from streams.rules.aggregates import look_back
from streams.rules.asking import Asked, Changed, Why
from streams.rules.checked import CheckedRule, check_rule
from streams.rules.errors import RuleErrors

_Named = tuple[str, str]
"""An event's source and id."""
_NO_EVENT = ("", "")
_NOT_IN_FORCE = "it is not in force: what only it looks back at is not in the record yet"
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
    as_taken: bool = False
    """Events were played in the order in which a worker took them, not in that of their times."""
    came: int = 0
    """When the event came, as far as that is told, bank time in epoch milliseconds."""

    def with_remark(self, remark: str) -> "Answer":
        return self._replace(remarks=[*self.remarks, remark]) if remark else self

    def with_status(self, told: str) -> "Answer":
        """With other words about what the rule's status lets it do."""
        for one in self.answers:
            one.gates = [
                replace(gate, told=told) if gate.name == "status" else gate for gate in one.gates
            ]
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
) -> Answer:
    """As an archived event came, and as what the rule waited for after it ended: the customer's
    events are played up to the end of the archive. Raises ArchiveError and ChoiceError."""
    core = core_settings(settings)
    found = _events_of(customer, past.events, core, now)
    taken, entries = past.taken, found.entries
    entries = in_order(entries) if taken is None else taken.in_order(entries)
    end = max(found.end, past.until)
    facts = FactsInTime(found.facts)
    inputs = [one.input for one in entries if one.input]
    kinds = {(one.event.source, one.event.id): one.type for one in inputs}
    broadcasts = _broadcasts(core, facts, [raw for _, raw in found.facts if raw.topic == CAMPAIGNS])
    kinds |= {name: several[0].type for name, several in broadcasts.items()}
    named = _named(event, customer, kinds)
    kind = kinds[named]
    told_of = [one.data for one in broadcasts.get(named, ())]
    asked = _asked(core, rule, [*known.values()], named, told_of)
    play(customer, entries, Trial(asked, core, facts, end))
    answers = [*asked.answers.values()]
    remarks = [past.remark] if past.remark else []
    if kind not in rule.on:
        remarks.append(f"it listens to {', '.join(rule.on)}, not to {kind}")
    elif not answers:
        remarks.append(_unreached(told_of, inputs))
    elif len(told_of) > 1:
        remarks.append(_CORRECTED)
    mine = [one for one in inputs if (one.event.source, one.event.id) == named]
    for one in mine[:1]:
        remarks += afterwards(one, asked, inputs, rule, core.time_zone)
    begins = dict.fromkeys(INPUT_TOPICS, found.begin) if past.begins is None else past.begins
    whole = _whole_from(asked.rule, begins, core.time_zone)
    changes = [*asked.changes.values()]
    as_taken = taken is not None and all(one in taken for one in mine[:1])
    came = _came(mine[0], found.sent, taken) if mine else broadcasts[named][0].at
    return Answer(answers, f"{kind} {event}", remarks, whole, changes, as_taken, came)


def _came(one: Input, sent: Mapping[tuple[str, int], int], taken: Taken | None) -> int:
    at = None if taken is None else taken.at(one)
    return at if at is not None else sent.get((one.topic, one.offset), one.at)


def _whole_from(rule: CheckedRule, begins: Mapping[str, int], zone: tzinfo) -> int:
    """From when on the rule looks back no further than the topics that its windows are of."""
    whole = 0
    for one in rule.aggregates():
        topics = {EVENT_TYPES[kind].topic for kind in (*one.types, *one.without)}
        if begin := max(begins.get(topic, 0) for topic in topics):
            whole = max(whole, look_back(one).warm_from(begin, zone))
    return whole


def _broadcasts(
    core: CoreSettings, facts: FactsInTime, campaigns: Iterable[Raw]
) -> dict[_Named, list[Announced]]:
    """What all customers are told of, as it first stood and as it was corrected, by the events that
    announced and corrected it; effects name the former alone."""
    found: dict[_Named, list[Announced]] = {}
    told = {id(one.announced): one.announced for one in facts.held}
    for one in (*core.holidays, *(one for held in told.values() for one in held.values())):
        several = found.setdefault((one.cause.source, one.cause.id), [])
        if one not in several:
            several.append(one)
    said = {(one.name, one.data): several for several in found.values() for one in several}
    for raw in campaigns:
        with suppress(BrokenEventError, UnknownTypeError):
            fact = decode_fact(raw.value or b"")
            if these := said.get((fact.subject, fact.data)):
                found.setdefault((fact.source, fact.id), these)
    return found


def _unreached(told_of: Sequence[Data], inputs: Sequence[Input]) -> str:
    if not told_of:
        return "it did not reach the customer: a duplicate, a dead letter, too old"
    if not inputs:
        return "the archive has no event of the customer, so nobody was there to be told of it"
    return "the customer was not told of it: it was over, or taken back, when the customer came"


def _named(event: str, customer: str, known: Iterable[_Named]) -> _Named:
    """The event of an id, or of a source and an id: two sources may use one id. Raises
    ArchiveError."""
    found = [one for one in known if event in (one[1], "/".join(one))]
    if not found:
        raise ArchiveError(
            f"there is no event {event} of customer {customer} in the archive: "
            "is it the CloudEvents id, as ClickHouse's events and a task's cause have it?"
        )
    if len(found) > 1:
        several = ", ".join(sorted(map("/".join, found)))
        raise ArchiveError(f"several events have the id {event}: name one of {several}")
    return found[0]


def _asked(
    core: CoreSettings,
    rule: RuleDefinition,
    known: list[RuleDefinition],
    event: _Named,
    broadcast: Sequence[Data] = (),
) -> Asked:
    others = [one for one in known if one.id != rule.id]
    checked = check_rule(rule, core.attributes, core.greetings)
    if not isinstance(checked, CheckedRule):  # nobody looks after a retired one
        raise ChoiceError(f"{rule.id}@{rule.version} cannot run any more: {checked[0]}")
    try:
        rules = core.compiled([*others, rule.model_copy(update={"status": "live"})])
    except RuleErrors as error:
        raise ChoiceError(f"{rule.id}@{rule.version} does not go with others: {error}") from None
    return Asked(rules, checked, event, core.time_zone, broadcast)


class _Found(NamedTuple):
    """What an archive has of a customer."""

    entries: list[Entry]
    facts: list[tuple[int, Raw]]
    begin: int
    """From when on and up to when the archive goes, epoch milliseconds."""
    end: int
    sent: Mapping[tuple[str, int], int]
    """When what stands at a place of a topic was sent, where that is told."""


def _events_of(customer: str, archive: Iterable[Archived], core: CoreSettings, now: int) -> _Found:
    sent_at: dict[tuple[str, int], int] = {}
    key, entries, facts = customer.encode(), list[Entry](), list[tuple[int, Raw]]()
    partition, begin, end = partition_of(key, core.partitions), now, 0
    campaigns = set[bytes]()
    for one in archive:
        at, kind = time_and_type(one.value)
        if one.topic in GLOBAL_TOPICS:
            raw = Raw(one.topic, 0, one.offset, one.key, one.value)
            holds = max(one.sent, 0) if at is None else at
            if one.topic == CAMPAIGNS:
                # What corrects a campaign may say the campaign's own time, and was not known then.
                holds = max(holds, one.sent) if one.key in campaigns else holds
                campaigns.add(one.key)
                end = max(end, holds) if holds <= now else end
            facts.append((holds, raw))
            continue
        sent = now if one.sent == UNKNOWN else one.sent
        if at is not None and at <= sent + core.future_tolerance:
            begin, end = min(begin, at), max(end, at)
            mirror = mirror_of(one, core) if kind in MIRRORED else None
            mine = [each for each in (one, mirror) if each is not None and each.key == key]
            sent_at |= {(each.topic, each.offset): one.sent for each in mine if one.sent != UNKNOWN}
            entries += [read(each.raw(partition), core) for each in mine]
    return _Found(entries, facts, begin, end, sent_at)
