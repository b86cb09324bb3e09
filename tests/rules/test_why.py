"""`why` says what the engine does, for whatever rules and events."""

import json
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from agents.backtest.why import Answer
from agents.cli.why_shown import as_lines
from schemas.envelope import to_millis
from schemas.profile import Score
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.backtest.facts import FactsInTime
from streams.backtest.play import Trial, play
from streams.context import CoreSettings
from streams.durations import DAY_MS
from streams.expressions.check import check
from streams.expressions.nodes import Base
from streams.expressions.parse import ExpressionError
from streams.expressions.scope import Scope
from streams.expressions.write import write
from streams.inputs import Input, Raw
from streams.intake import read
from streams.rules.answers import Why
from streams.rules.asking import Asked
from streams.rules.checked import CheckedRule, check_rule
from streams.rules.compiler import compile_rules
from tests.rules.maker import (
    DECLARED,
    TYPES,
    Maker,
    random_facts,
    random_input,
    random_record,
)
from tests.rules.test_compiled import RANDOMS, random_rule
from tests.rules.twin import ZONE


def named(event: Input, number: int) -> Input:
    whole = msgspec.structs.replace(event.event, id=f"e{number}")
    return msgspec.structs.replace(event, event=whole)


@settings(max_examples=150, deadline=None)
@given(RANDOMS)
def test_it_says_what_the_engine_does(random: Random) -> None:
    types = random.sample(TYPES, 2)
    rule = random_rule(random, 0, types)
    rule = rule.model_copy(update={"status": random.choice(["live", "shadow"])})
    checked = check_rule(rule, DECLARED)
    assert isinstance(checked, CheckedRule)
    lateness = 20 * DAY_MS
    rules = compile_rules([rule], lateness=lateness, attributes=DECLARED, zone=ZONE)
    stored, facts = random_record(random).encode(), random_facts(random)
    record, plain = Record("C1", stored), Record("C1", stored)
    for number in range(15):
        event = named(random_input(random), number)
        late = event.at < record.activity.latest - lateness
        asked = Asked(rules, checked, (event.event.source, event.event.id), ZONE)
        before = dict(record.activity.cooldowns), dict(record.activity.firings)
        fired = asked.apply(record, event, late=late, facts=facts)
        expected = rules.apply(plain, event, late=late, facts=facts)
        assert fired == expected
        record.activity.latest = plain.activity.latest = max(plain.activity.latest, event.at)
        if event.type not in rule.on:
            continue
        ((_, why),) = asked.answers.items()
        if checked.waits.absence is None:
            assert why.fires == bool(expected.firings), before
            assert why.acts == any(one.withheld is None for one in expected.firings)
        else:
            assert (why.holds is True) == bool(expected.waiting)
        for firing in expected.firings:
            assert {name: firing.values[name] for name in why.lets} == dict(why.lets)


@settings(max_examples=150, deadline=None)
@given(RANDOMS)
def test_what_it_says_without_an_event_is_so_whatever_comes(random: Random) -> None:
    rule = random_rule(random, 0, random.sample(TYPES, 2))
    rule = rule.model_copy(update={"status": "live", "amendable": False})
    checked = check_rule(rule, DECLARED)
    assert isinstance(checked, CheckedRule)
    rules = compile_rules([rule], attributes=DECLARED, zone=ZONE)
    stored, facts = random_record(random).encode(), random_facts(random)
    record = Record("C1", stored)
    for number in range(random.randrange(9)):
        event = named(random_input(random), number)
        rules.apply(record, event, late=False, facts=facts)
        record.activity.latest = max(record.activity.latest, event.at)
    at, kept = record.activity.latest, record.encode()
    (before,) = Asked(rules, checked, ("", ""), ZONE).now(record, at, facts)
    for _ in range(10):
        kind = random.choice(rule.on)
        event = msgspec.structs.replace(named(random_input(random, types=[kind]), 99), at=at)
        asked = Asked(rules, checked, (event.event.source, "e99"), ZONE)
        asked.apply(Record("C1", kept), event, late=False, facts=facts)
        ((_, then),) = asked.answers.items()
        if before.holds is not None:
            assert then.holds is before.holds
        elif not before.is_open:
            assert then.holds is not True, (before, then)
        for one, other in zip(before.clauses, then.clauses, strict=True):
            never = one.holds is None and other.holds is not True
            assert one.of_event or never or one.holds == other.holds, one


@settings(max_examples=300, deadline=None)
@given(RANDOMS)
def test_what_is_written_is_what_was_checked(random: Random) -> None:
    event_type = random.choice(TYPES)
    base = random.choice([Base.FLAG, Base.FLAG, Base.NUMBER, Base.TEXT])
    scope = Scope((event_type,), attributes=DECLARED)
    node = check(Maker(random, event_type).of(base), scope)
    try:
        again = write(check(write(node), scope))
    except ExpressionError as error:
        if "too large" not in error.message:  # as a share is that is written as two aggregates
            raise
    else:
        assert again == write(node)


RULE: dict[str, Any] = {
    "id": "big",
    "version": 1,
    "title": {"en": "Big", "zh": "大额"},
    "kind": "opportunity",
    "owner": "tests",
    "status": "live",
    "on": "transfer.completed",
    "if": "direction == 'out' and base_amount > 200_000 and 'golf' in tags",
    "unless": "profile.tier == 'basic'",
    "then": {"alert": {"text": {"en": "A", "zh": "甲"}}},
    "cooldown": "30d",
    "limit": {"times": 2, "within": "365d"},
    "rollout": 100,
    "holdout": 10,
    "active": {"until": "2030-01-31"},
}


def now(record: Record, at: int = 1_700_000_000_000, **changes: Any) -> Why:
    rule = RuleDefinition.model_validate(RULE | changes)
    checked = check_rule(rule)
    assert isinstance(checked, CheckedRule)
    (why,) = Asked(compile_rules([rule]), checked, ("", ""), UTC).now(record, at)
    return why


def test_each_clause_with_its_value_and_by_how_much() -> None:
    record = Record("C1")
    record.edit_profile().tags["sailing"] = 0
    why = now(record, **{"if": "profile.base_assets >= 50_000 and 'golf' in tags and amount > 3"})
    assets, tag, amount, unless = why.clauses
    assert (assets.text, assets.holds, assets.off) == (
        "profile.base_assets >= 50000",
        False,
        "50000 short",
    )
    assert assets.seen == {"profile.base_assets": "0"}
    assert (tag.holds, tag.seen) == (False, {"tags": "sailing"})
    assert (amount.holds, amount.of_event) == (None, True)
    assert (unless.text, unless.holds) == ("not profile.tier == 'basic'", True)
    assert why.holds is False


@pytest.mark.parametrize(
    ("condition", "holds", "off"),
    [
        ("known(purpose)", None, ""),
        ("not known(purpose)", None, ""),
        ("default(purpose, 'rent') == 'rent'", None, ""),
        ("known(purpose) or profile.accounts >= 0", True, ""),
        ("not (known(purpose) and profile.accounts >= 1)", True, ""),
        ("not (known(purpose) and profile.accounts >= 0)", None, ""),
        ("count(transfer.completed, 30d) >= 1", True, ""),
        ("count(transfer.completed, 30d) >= 3", False, "2 short"),
        ("count(transfer.completed, 30d, prior=true) >= 1", False, "1 short"),
        ("count(transfer.completed, months -3 to -1) >= 1", False, "1 short"),
        ("count(transfer.completed, 30d, where=amount > 5) >= 1", None, ""),
        ("count(transfer.completed, 30d, where=amount > 5) >= 3", False, "2 short"),
        ("count([logged.in, card.settled], 30d) >= 1", False, "1 short"),
        ("sum(base_amount, transfer.completed, 30d) >= 1", None, ""),
    ],
)
def test_what_the_event_that_comes_decides_is_open(
    condition: str, holds: bool | None, off: str
) -> None:
    why = now(Record("C1"), unless=None, **{"if": condition})
    (clause,) = why.clauses
    assert (clause.holds, clause.of_event, clause.off) == (holds, holds is None, off)
    assert why.is_open is (holds is None)
    assert clause.counts_event is (
        "transfer.completed, 30d" in condition and "prior" not in condition
    )


def test_what_is_unknown_whatever_comes_is_not_open() -> None:
    why = now(Record("C1"), unless=None, **{"if": "profile.tier == 'gold' and amount > 3"})
    assert (why.holds, why.is_open) == (None, False)


def test_a_rule_that_has_nothing_to_wait_for_does_not_fire() -> None:
    waits = {"on": "deposit.placed", "wait": {"days": 7, "before": "matures_on"}, "unless": None}
    why = now(Record("C1"), **waits, **{"if": "true"})
    assert (why.when, why.holds, why.fires) == ("wait", None, False)


def test_an_answer_that_came_before_what_it_answers() -> None:
    rule = RULE | {"wait": {"for": "1d", "without": "logged.in"}, "if": "true", "unless": None}
    definition = RuleDefinition.model_validate(rule)
    checked = check_rule(definition)
    assert isinstance(checked, CheckedRule)
    core = CoreSettings(partitions=1)
    came = random_input(Random(1), types=["logged.in"])
    event = named(random_input(Random(1), types=["transfer.completed"]), 1)
    event = msgspec.structs.replace(event, at=came.at - 1)
    asked = Asked(core.compiled([definition]), checked, (event.event.source, "e1"), UTC)
    record = Record("C1")
    for one in (came, event):
        asked.apply(record, one, late=False)
    ((_, why),) = asked.answers.items()
    assert (why.holds, why.answered, why.fires, why.waits) == (True, True, False, [])


def test_what_a_rule_that_can_be_amended_reckoned() -> None:
    """In the order of times, where windows know an event's time to their bucket."""
    rule = RULE | dict.fromkeys(("unless", "cooldown", "limit", "holdout", "active"))
    rule |= {"amendable": True, "let": {"n": "count(transfer.completed, 30d)"}}
    definition = RuleDefinition.model_validate(rule | {"if": "n >= 2"})
    checked = check_rule(definition)
    assert isinstance(checked, CheckedRule)
    core, record, found = CoreSettings(partitions=1), Record("C1"), {}
    rules, made = core.compiled([definition]), random_input(Random(1), types=["transfer.completed"])
    rules.forget_others(record)
    for number, minute in enumerate((3, 2, 1)):
        event = msgspec.structs.replace(named(made, number), at=made.at + 60_000 * minute)
        asked = Asked(rules, checked, (event.event.source, f"e{number}"), UTC)
        asked.apply(record, event, late=False)
        record.activity.latest = max(record.activity.latest, event.at)
        ((_, why),) = asked.answers.items()
        (clause,) = why.clauses
        found[minute] = clause.holds, clause.seen["n"], why.lets["n"], why.fires
    assert found == dict.fromkeys((3, 2, 1), (False, "1", "1", False))


def test_before_its_date_a_rule_does_not_fire() -> None:
    data = {"deposit": "D1", "account": "A1", "principal": "5", "currency": "CNY", "rate": "0.02"}
    event = {
        "specversion": "1.0",
        "id": "e1",
        "source": "tests",
        "type": "deposit.placed",
        "subject": "C1",
        "time": "2026-01-01T00:00:00Z",
        "data": data | {"matures_on": "2026-03-10"},
    }
    waits = {"on": "deposit.placed", "wait": {"days": 7, "before": "matures_on"}}
    rule = RULE | waits | {"if": "principal > 1", "unless": None, "holdout": None}
    core = CoreSettings(partitions=1)
    rules = core.compiled([RuleDefinition.model_validate(rule)])
    entry = read(Raw("bank.core", 0, 0, b"C1", json.dumps(event).encode()), core)
    began, ended = (to_millis(datetime(2026, month, 20, tzinfo=UTC)) for month in (2, 3))
    for until, due in ((began, datetime(2026, 3, 3, 9, tzinfo=UTC)), (ended, None)):
        trial = Trial(rules, core, FactsInTime([]), until)
        record = play("C1", [entry], trial).record
        why = now(record, until, **rule)
        assert why.holds is True
        assert why.due == (None if due is None else to_millis(due))


def test_what_stands_in_the_way() -> None:
    record, at = Record("C1"), 1_700_000_000_000
    record.activity.cooldowns["big"] = at - DAY_MS
    record.activity.firings["big"] = [at - 2 * DAY_MS, at - DAY_MS]
    gates = {one.name: one for one in now(record, at, status="shadow", rollout=1).gates}
    assert {name: one.open for name, one in gates.items()} == {
        "status": False,
        "active": True,
        "rollout": False,
        "cooldown": False,
        "limit": False,
        "holdout": gates["holdout"].open,
    }
    again = "30d, and it fired 2023-11-13 22:13:20: again from 2023-12-13 22:13:20"
    assert gates["cooldown"].told == again
    again = "2 within 365d, and it fired 2 times: again from 2024-11-11 22:13:20"
    assert gates["limit"].told == again


def test_a_limit_is_open_again_when_it_says() -> None:
    record, at = Record("C1"), 1_700_000_000_000
    limit = {"times": 2, "within": "30d"}
    record.activity.firings["big"] = [at - 40 * DAY_MS, at - 20 * DAY_MS, at - DAY_MS]
    found = []
    for beside in (0, 10 * DAY_MS - 1, 10 * DAY_MS):
        gates = {one.name: one for one in now(record, at + beside, limit=limit).gates}
        found.append((gates["limit"].open, gates["limit"].told))
    closed = "2 within 30d, and it fired 2 times: again from 2023-11-24 22:13:20"
    assert found == [(False, closed), (False, closed), (True, "2 within 30d, and it fired once")]


@pytest.mark.parametrize("gate", ["cooldown", "limit", "rollout", "status"])
def test_no_event_opens_what_is_closed_now(gate: str) -> None:
    """What is withheld is recorded all the same."""
    record, at = Record("C1"), 1_700_000_000_000
    record.edit_profile().tags["golf"] = 0
    open_: dict[str, Any] = {"cooldown": None, "limit": None, "rollout": 100, "holdout": None}
    closed = {
        "cooldown": {"cooldown": "30d"},
        "limit": {"limit": {"times": 1, "within": "30d"}},
        "rollout": {"rollout": 1},
        "status": {"status": "shadow"},
    }
    record.activity.cooldowns["big"], record.activity.firings["big"] = at - 1, [at - 1]
    why = now(record, at, **open_ | closed[gate])
    assert why.is_open
    assert [one.name for one in why.gates if not one.open] == [gate]
    rule = RuleDefinition.model_validate(RULE)
    lines = [str(one) for one in as_lines(rule, "C1", Answer([why]), 0, UTC)]
    verdict = f"it does not fire, whatever event comes now: {gate}"
    if gate == "status":
        verdict = "it depends on the event that comes"
    assert f"as things are, 2023-11-14 22:13:20: {verdict}" in lines


SCORE: dict[str, Any] = {
    "if": "true",
    "unless": None,
    "score": {
        "name": "looks",
        "threshold": 100,
        "release": 80,
        "signals": [
            {"points": 70, "if": "base_amount > 5", "reason": {"en": "A", "zh": "甲"}},
            {"points": 40, "if": "'golf' in tags", "reason": {"en": "B", "zh": "乙"}},
        ],
    },
}


def test_a_score_as_things_are() -> None:
    """No event is asked about: none can be newer, and what one would tell is open."""
    record, at = Record("C1"), 1_700_000_000_000
    record.activity.latest = at + DAY_MS
    score = Score(points=110, at=at, raised=True, signals=[0, 1])
    record.edit_profile().scores["looks"] = score
    low = now(record, at, **SCORE)
    assert low.at == at + DAY_MS
    gates = {one.name: one.told for one in low.gates}
    assert "newest" not in gates
    assert gates["score"] == "it stood at 110, high already; low again below 80"
    (clause,) = low.clauses
    assert (clause.holds, clause.off) == (False, "30 short")
    assert clause.seen == {"looks": "0 to 70"}
    record.edit_profile().tags["golf"] = 0
    (clause,) = now(record, at, **SCORE).clauses
    assert (clause.holds, clause.off, clause.of_event) == (None, "", True)
    assert clause.seen == {"looks": "40 to 110"}


def test_a_rule_that_raises_as_it_is_looked_at() -> None:
    rule = RuleDefinition.model_validate(RULE | {"if": "rate('mortgage') > 0"})
    checked = check_rule(rule)
    assert isinstance(checked, CheckedRule)
    event = named(random_input(Random(1), types=["transfer.completed"]), 1)
    nothing: Any = None
    asked = Asked(compile_rules([rule]), checked, (event.event.source, "e1"), UTC)
    fired = asked.apply(Record("C1"), event, late=False, facts=nothing)
    assert fired.failed == ["big"]
    ((_, why),) = asked.answers.items()
    assert why.failed.startswith("AttributeError: 'NoneType' object has no")
    assert not why.fires


@pytest.mark.parametrize(
    "text",
    [
        "base_amount > 4 * avg(base_amount, transfer.completed, 90d, at_least=5, prior=true)",
        "(base_amount > 1 or direction == 'in') and not (base_amount > 3 and known(purpose))",
        "base_amount - (1 - base_amount) / 2 < -base_amount",
        "count([logged.in, page.viewed], this month) > count(page.viewed, months -6 to -3)",
        "sum(base_amount, card.settled, 2w, where=category in ['5641', '5812']) >= 0.25",
        """purpose == "it's so" or purpose == 'so "so"'""",
    ],
)
def test_the_text_of_an_expression(text: str) -> None:
    assert write(check(text, Scope(("transfer.completed",)))) == text
