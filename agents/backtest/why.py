"""One rule asked about one customer: as things are."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agents.backtest.announcements import Named
from agents.backtest.choice import ChoiceError, Known
from agents.backtest.stood import Stretch
from agents.core import core_settings
from config.settings import Settings
from schemas.envelope import Data
from schemas.position import Since
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.context import CoreSettings
from streams.facts import Facts
from streams.reach import Reach
from streams.rules.answers import Changed, Why
from streams.rules.asking import Asked
from streams.rules.checked import CheckedRule, check_rule
from streams.rules.ends import Ended
from streams.rules.errors import RuleErrors
from streams.rules.hindrances import Gatekeeper

_NO_EVENT = ("", "")
_NOT_IN_FORCE = "it is not in force: what only it looks back at is not in the record yet"


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
    asked = asked_about(core_settings(settings), rule, [*known.values()], _NO_EVENT)
    return Answer(asked.now(record, now, facts), remarks=() if is_in_force else [_NOT_IN_FORCE])


def asked_about(
    core: CoreSettings,
    rule: RuleDefinition,
    known: list[RuleDefinition],
    event: Named,
    broadcast: Sequence[Data] = (),
    status: str = "",
) -> Asked:
    """The rules in force with the rule, asked about an event, or about what everybody is told of by
    it. With a `status`, which says so, as if the rule were live. Raises ChoiceError."""
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
