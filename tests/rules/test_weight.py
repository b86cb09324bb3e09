"""What rules can fill of a record: never more than reckoned; a set that could is refused."""

from collections.abc import Iterator
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from agents.librdkafka import MAX_MESSAGE_BYTES
from schemas.events.core import TransferData
from schemas.packed import pack
from schemas.record import FOLD_BYTES, MAX_RECORD_BYTES, RULES_BYTES, Record
from schemas.rules import RuleDefinition
from streams.durations import DAY_MS
from streams.inputs import Input
from streams.rules.compiler import compile_rules
from streams.rules.errors import RuleErrors
from streams.rules.owing import OWED_BYTES
from tests.lane.rules import rule
from tests.rules.maker import DECLARED, TYPES, random_facts, random_input, random_record
from tests.rules.test_compiled import RANDOMS, random_rule
from tests.rules.twin import ZONE

LARGE = Decimal("9" * 14 + ".9999")
NOTHING = 24
"""What no rules at all keep: what holds it."""
FULL = {
    "count(transfer.completed, 1h)": 60_000,
    "sum(base_amount, transfer.completed, 1h)": 60_000,
    "avg(base_amount * base_amount, transfer.completed, 30d, at_least=2)": DAY_MS,
    "stddev(base_amount, transfer.completed, 30d, at_least=2)": DAY_MS,
    "max(base_amount, transfer.completed, 1h)": 60_000,
    "last(counterparty_bank, transfer.completed, 1h)": 60_000,
    "first(base_amount, transfer.completed, 90d)": DAY_MS,
    "distinct(counterparty_bank, transfer.completed, 30d)": DAY_MS,
    "sum(base_amount, transfer.completed, last 3 months)": 30 * DAY_MS,
    "streak(transfer.completed, 30d, without=logged.in)": DAY_MS,
}
"""Aggregates, and how wide their buckets are."""


def of(*conditions: str) -> list[RuleDefinition]:
    return [
        RuleDefinition.model_validate(rule(f"rule-{number}", **{"if": one}))
        for number, one in enumerate(conditions)
    ]


def kept_bytes(record: Record) -> int:
    """What of a record is rules' own."""
    record.store()
    kept = record.activity
    of_rules = (kept.windows, kept.cooldowns, kept.firings, kept.answers, kept.timers)
    others = (kept.answered, kept.played, kept.judging, kept.began, kept.filled, kept.owed)
    return sum(len(pack(one)) for one in (*of_rules, *others))


def transfers(width: int) -> Iterator[Input]:
    """Of the largest amounts and the longest names, 34 in each of 200 stretches of a width."""
    like = random_input(Random(7), types=["transfer.completed"])
    for number in range(34 * 200):
        data = TransferData(
            transfer="1",
            account="1",
            direction="out",
            amount=Decimal(1),
            currency="CNY",
            base_amount=LARGE - number,
            counterparty_bank=f"{number}".ljust(200, "x"),
        )
        at = 1_700_000_000_000 + number * width // 34
        yield Input(replace(like.event, data=data), like.type, at, "bank.core", 0, 0)


@pytest.mark.parametrize("text", FULL, ids=lambda text: text.partition("(")[0])
def test_a_full_window_is_below_what_was_reckoned_and_not_far(text: str) -> None:
    rules, record = compile_rules(of(f"known({text})"), zone=ZONE), Record("C1")
    for event in transfers(FULL[text]):
        record.activity.latest = event.at
        rules.apply(record, event, late=False)
    record.activity.filled = dict.fromkeys(rules.asked, 2**40)
    assert 0.5 < kept_bytes(record) / (rules.weight.by_rule["rule-0"] + NOTHING) <= 1


@settings(max_examples=60, deadline=None)
@given(RANDOMS)
def test_random_rules_stay_below_what_was_reckoned(random: Random) -> None:
    definitions = [random_rule(random, number) for number in range(random.randint(1, 5))]
    rules = compile_rules(definitions, attributes=DECLARED, zone=ZONE)
    record, facts = random_record(random), random_facts(random)
    for _ in range(random.randint(1, 60)):
        event = random_input(random, types=TYPES[:2] if random.random() < 0.7 else TYPES)
        late = event.at < record.activity.latest - 30 * DAY_MS
        record.activity.latest = max(record.activity.latest, event.at)
        rules.apply(record, event, late=late, facts=facts)
    assert kept_bytes(record) <= rules.weight.total + NOTHING


def windows(number: int) -> list[RuleDefinition]:
    """Rules with a full window each."""
    return of(*(f"count(page.viewed, 1h, where=page == '{one}') > 1" for one in range(number)))


def test_a_set_that_could_fill_a_record_is_refused_and_says_by_which_rules() -> None:
    heavy = of("last(page, page.viewed, 1h) == 'x'")[0].model_copy(update={"id": "heavy"})
    with pytest.raises(RuleErrors) as caught:
        compile_rules([*windows(1_000), heavy])
    [problem] = caught.value.problems
    assert (problem.rule, problem.key) == ("heavy", "id")
    assert problem.message == (
        "the rules can take up to 2,027 kB of a customer's record, at most 711 kB are theirs; this "
        "one can take 32 kB, rule-0 up to 2 kB, rule-1 up to 2 kB, rule-10 up to 2 kB, rule-100 up "
        "to 2 kB: shorten their windows, or let rules look at the same ones"
    )


def test_a_set_at_the_limit_fits() -> None:
    """What is reckoned of the largest set that is taken, and the fold at its most (test_limit)."""
    [one] = compile_rules(windows(1)).weight.by_rule.values()
    most = (RULES_BYTES - OWED_BYTES) // one
    assert compile_rules(windows(most)).weight.total <= RULES_BYTES
    with pytest.raises(RuleErrors):
        compile_rules(windows(most + 1))
    assert FOLD_BYTES + RULES_BYTES <= MAX_RECORD_BYTES < MAX_MESSAGE_BYTES


def test_what_rules_share_counts_once() -> None:
    alone = compile_rules(of("count(page.viewed, 7d) > 1")).weight
    both = compile_rules(of("count(page.viewed, 7d) > 1", "count(page.viewed, 7d) > 2")).weight
    assert both.total == alone.total
    assert [*both.by_rule.values()] == [*alone.by_rule.values()] * 2
