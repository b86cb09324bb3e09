"""How much of a record a set of rules can fill: the most bytes that all it keeps there takes.

Reckoned before a set is in force, so that no event is ever lost because rules filled its customer's
record. Windows, steps and answers that rules share count once for the set, and for each rule alone.
What waits is reckoned with EVENT_BYTES for what its event calls itself and the thing it is about;
scores and greetings are bounded with what the fold keeps (tests/core/test_limit.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.record import RULES_BYTES
from streams.fold import cards, deposits, products
from streams.fold.basics import MAX_FAMILY
from streams.rules.aggregates import Aggregates, state_key
from streams.rules.amending import PLAYED_BYTES
from streams.rules.checked import CheckedRule
from streams.rules.errors import RuleProblem
from streams.rules.owing import OWED_BYTES
from streams.timers import DEPOSITS
from streams.waits import absence, dates, silence
from streams.waits.own import FAMILY

EVENT_BYTES = 256
"""Of what waits: the source and the id of its event and the id of the thing, together."""
_ENTRY_BYTES = 12
"""A key's and a number's own marks, and a time."""
_MOST = 5
"""So many rules are named that take most."""
_THINGS = {
    DEPOSITS: deposits.MAX_DEPOSITS,
    "holdings": products.MAX_HOLDINGS,
    "loans": products.MAX_LOANS,
    "statements": cards.MAX_CARDS,
    "limits": cards.MAX_CARDS,
    FAMILY: MAX_FAMILY,
}
"""Of how many things of a kind a rule waits for the dates; of others for one."""


class Weight(NamedTuple):
    """Bytes of a record, at their most."""

    total: int
    by_rule: Mapping[str, int]
    """Each rule by itself: what rules share counts for each of them."""

    def __str__(self) -> str:
        return f"{kilobytes(self.total)} of the {kilobytes(RULES_BYTES)} of a record"


def weigh(rules: Sequence[CheckedRule], aggregates: Aggregates) -> Weight:
    """The weight of the rules that run; `aggregates` are theirs."""
    found = [_parts(rule, aggregates) for rule in rules]
    shared: dict[str, int] = {}
    waiting: list[int] = []
    for one in found:
        shared |= one.shared
        waiting += one.waiting
    total = sum(shared.values()) + sum(one.own for one in found)
    total += sum(sorted(waiting)[-absence.MAX_TIMERS :])
    total += absence.MAX_ANSWERED * max(waiting, default=0)
    total += OWED_BYTES if shared else 0
    by_rule = {
        rule.definition.id: sum(one.shared.values()) + one.own + sum(one.waiting)
        for rule, one in zip(rules, found, strict=True)
    }
    return Weight(total, by_rule)


class _Parts(NamedTuple):
    """What a rule keeps."""

    shared: dict[str, int]
    """By key: other rules may have the same."""
    own: int
    waiting: list[int]
    """Events that wait for an answer: of all rules only so many are kept."""


def _parts(rule: CheckedRule, aggregates: Aggregates) -> _Parts:
    definition = rule.definition
    name = len(definition.id) + _ENTRY_BYTES
    keys = {*map(state_key, rule.aggregates())}
    shared = {key: aggregates.bytes[key] for key in keys}
    shared |= {f"filled {key}": 32 for key in keys}
    own, waiting = 0, list[int]()
    if definition.cooldown or definition.amendable:
        own += name
    if definition.limit:
        own += name + definition.limit.times * 9
    for wait in rule.waits.dates:
        own += _THINGS.get(wait.kind, 1) * (dates.TIMER_BYTES + EVENT_BYTES + name)
    if silence.is_seen_by(rule):
        own += dates.TIMER_BYTES + EVENT_BYTES + name
    if (absent := rule.waits.absence) is not None:
        shared[f"answers {absent.key}"] = absence.ANSWER_BYTES
        values = sum(len(one) + absence.VALUE_BYTES + 6 for one in rule.shown)
        waiting = [dates.TIMER_BYTES + EVENT_BYTES + name + values] * absence.MAX_A_RULE
    if definition.amendable:
        own += 2 * name + 32
        shared |= {f"began {key}": 32 for key in keys}
        shared["played"] = PLAYED_BYTES + PLAYED_BYTES // 64
    return _Parts(shared, own, waiting)


def too_heavy(weight: Weight) -> Iterable[RuleProblem]:
    """Why a set is refused: it could fill a record so that events are lost."""
    if weight.total <= RULES_BYTES:
        return
    first, *others = sorted(weight.by_rule.items(), key=lambda one: (-one[1], one[0]))[:_MOST]
    most = ", ".join(f"{name} up to {kilobytes(size)}" for name, size in others)
    message = (
        f"the rules can take up to {kilobytes(weight.total)} of a customer's record, at most "
        f"{kilobytes(RULES_BYTES)} are theirs; this one can take {kilobytes(first[1])}"
        + (f", {most}" if most else "")
        + ": shorten their windows, or let rules look at the same ones"
    )
    yield RuleProblem(first[0], "id", 0, message)


def kilobytes(size: int) -> str:
    """As people read it, rounded up."""
    return f"{-(-size // 1_000):,} kB"
