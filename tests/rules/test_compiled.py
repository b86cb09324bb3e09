"""Compiled expressions and rule sets against their interpreted twin."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.durations import DAY_MS
from streams.expressions.check import check
from streams.expressions.compile import Writer, compile_function
from streams.expressions.interpret import World, interpret
from streams.expressions.nodes import (
    Aggregate,
    Attribute,
    Base,
    Gathered,
    Node,
    Reading,
    ScoreField,
    walk,
)
from streams.expressions.scope import Scope
from streams.expressions.values import render
from streams.recent import KEPT_EVENTS
from streams.rules import compiled
from streams.rules.checked import check_rule
from streams.rules.compiled import MOST_TOGETHER
from streams.rules.compiler import compile_rules
from streams.rules.ruleset import RuleSet
from tests.lane.rules import rule
from tests.rules.maker import (
    DECLARED,
    ORIGIN,
    TYPES,
    Maker,
    random_data,
    random_facts,
    random_input,
    random_record,
    random_sequence,
)
from tests.rules.test_amendable import ALERT, transfer
from tests.rules.test_amendable import rule as written
from tests.rules.twin import ZONE, Twin

OPEN = {
    "status": "live",
    "wait": None,
    "sequence": None,
    "unless": None,
    "limit": None,
    "rollout": 100,
    "active": None,
    "score": None,
}
"""Of a rule that fires whenever its condition holds."""
RANDOMS = st.randoms(use_true_random=True)
"""A Random from a drawn seed."""


def run_compiled(node: Node, world: World, readings: list[Any]) -> tuple[Any, ...]:
    """A node's value, and for a condition whether it is true and whether it is false."""
    numbers = {one: i for i, one in enumerate(found_aggregates(node))}
    writer = Writer(numbers.__getitem__, world.zone)
    texts = [writer.value(node)]
    if node.type.base is Base.FLAG:
        texts += [writer.true(node), writer.false(node)]
    given_names = [f"g_{i} = readings[{i}]" for i in range(len(numbers))]
    given_names += ["b, t, s = r.profile.basics, r.profile.tags, worth(r).totals"]
    attributes = [one for one in walk(node) if isinstance(one, Attribute | ScoreField)]
    given_names += [f"{writer.value(one)} = {writer.attribute(one)}" for one in attributes]
    lists = {one.list for one in walk(node) if isinstance(one, Gathered)}
    given_names += [f"l_{one} = listed(r, {one!r}, at, zone)" for one in lists]
    source = "\n    ".join(
        ["def made(d, r, readings, f, at):", *given_names, f"return ({', '.join(texts)},)", ""]
    )
    made = compile_function(source, writer.namespace)
    return tuple(made(world.data, world.record, readings, world.facts, world.at))


def found_aggregates(node: Node) -> list[Aggregate]:
    return list(dict.fromkeys(n.aggregate for n in walk(node) if isinstance(n, Reading)))


@settings(max_examples=500, deadline=None)
@given(RANDOMS)
def test_compiled_equals_interpreted(random: Random) -> None:
    event_type = random.choice(TYPES)
    base = random.choice([Base.FLAG, Base.FLAG, Base.NUMBER, Base.TEXT])
    node = check(Maker(random, event_type).of(base), Scope((event_type,), attributes=DECLARED))
    record, event = random_record(random), random_data(random, event_type)
    aggregates = found_aggregates(node)
    readings = [random.choice([None, 0, 3, 100, Decimal("12.5")]) for _ in aggregates]
    by_aggregate = dict(zip(aggregates, readings, strict=True))
    facts, at = random_facts(random), random_input(random).at
    read = by_aggregate.__getitem__
    world = World(event, record, {}, read, facts=facts, at=at, zone=ZONE)
    expected = interpret(node, world)
    value, *truth = run_compiled(node, world, readings)
    assert value == expected
    assert type(value) is type(expected)
    if truth:
        assert [bool(one) for one in truth] == [expected is True, expected is False]


def random_rule(random: Random, number: int, types: Sequence[str] = TYPES) -> RuleDefinition:
    event_type = random.choice(types)
    let: dict[str, str] = {}
    bases: dict[str, Base] = {}
    sequence: dict[str, Any] | None = None
    steps: dict[str, str] = {}
    scores = random.random() < 0.3
    if not scores and random.random() < 0.4:
        sequence, steps = random_sequence(random, types)

    def maker() -> Maker:
        return Maker(random, event_type, bases, steps=steps)

    for i in range(random.randint(0, 2)):
        base = random.choice([Base.NUMBER, Base.FLAG])
        let[f"let_{i}"] = maker().of(base, 2)
        bases[f"let_{i}"] = base
    text = {"en": "A", "zh": "甲"}
    rule = RuleDefinition.model_validate(
        {
            "id": f"rule-{number}",
            "version": 1,
            "title": text,
            "kind": "risk",
            "owner": "tests",
            "status": random.choice(["live", "live", "live", "shadow", "draft"]),
            "on": event_type,
            "sequence": sequence,
            "let": let,
            "if": maker().flag(2),
            "then": {"alert": {"text": text}},
            "unless": random.choice([None, maker().flag(1)]),
            "cooldown": random.choice([None, "1h", "30d"]),
            "limit": random.choice([None, {"times": random.randint(1, 3), "within": "20d"}]),
            "rollout": random.choice([100, 50]),
            "active": random.choice([None, {"until": "2023-12-24"}, {"from": "2023-12-05"}]),
            "wait": None if scores else random.choice([None, None, random_absence(random)]),
            "score": random_score(random, number, maker()) if scores else None,
        }
    )
    shows_too_much = isinstance(check_rule(rule, DECLARED), list)
    return rule.model_copy(update={"wait": None}) if shows_too_much else rule


def random_score(random: Random, number: int, maker: Maker) -> dict[str, Any]:
    text = {"en": f"reason {number}", "zh": "甲"}
    signals = [
        {"points": random.choice([-10, 20, 40]), "if": maker.flag(1), "reason": text}
        for _ in range(random.randint(0, 2))
    ]
    signals.append({"points": 40, "if": maker.flag(1), "reason": text})
    threshold = random.choice([1, 20, 40])
    release = random.choice([1, threshold])
    return {
        "name": f"score_{number}",
        "threshold": threshold,
        "release": release,
        "signals": signals,
    }


def random_absence(random: Random) -> dict[str, Any]:
    event_type = random.choice(TYPES)
    where = Maker(random, event_type, aggregate=True).flag(1)
    return {"for": "30m", "without": {"on": event_type, "where": where}}


@settings(max_examples=150, deadline=None)
@given(RANDOMS)
def test_rule_set_equals_its_twin(random: Random) -> None:
    # Few types, so that sequences find their steps; and no more events than are kept for those.
    types, events = random.choice([(TYPES, 15), (random.sample(TYPES, 2), KEPT_EVENTS)])
    definitions = [random_rule(random, number, types) for number in range(random.randint(1, 4))]
    record, lateness = random_record(random), 20 * DAY_MS
    rule_set = compile_rules(definitions, lateness=lateness, attributes=DECLARED, zone=ZONE)
    facts = random_facts(random)
    twin = Twin(definitions, facts)
    if random.random() < 0.3:
        _break_together(rule_set)
    for _ in range(random.randint(1, events)):
        event = random_input(random, types=types)
        late = event.at < record.activity.latest - lateness
        record.activity.latest = max(record.activity.latest, event.at)
        before = Record(record.customer, record.encode())
        fired = rule_set.apply(record, event, late=late, facts=facts)
        assert not fired.failed
        found = [(one.rule.id, one.values, one.withheld == "shadow") for one in fired.firings]
        assert found == twin.apply(before, event, late=late)
        assert {**before.profile.scores, **twin.scores} == record.profile.scores
        assert [(one.absence.rule, one.values) for one in fired.waiting] == twin.waiting
        if not late and random.random() < 0.2:
            rule_set.retract(record, event, 0)
            twin.retract(event)
        if random.random() < 0.5:
            record = Record(record.customer, record.encode())


def _break_together(rules: RuleSet) -> None:
    """The function of all rules of a type raises, as one of them would make it: each is tried by
    itself then."""

    def failing(*_: object) -> None:
        raise ZeroDivisionError

    for listening in rules._by_type.values():
        listening.evaluate = failing


def test_a_condition_may_have_more_clauses_than_python_can_nest() -> None:
    random = Random(7)
    rule = random_rule(random, 1).model_copy(
        update={
            **OPEN,
            "on": ["page.viewed"],
            "let": {"other": "page != 'x'"},
            "if_": " and ".join(["other"] * 150),
        }
    )
    event = next(one for one in iter(lambda: random_input(random), None) if one.type == rule.on[0])
    assert compile_rules([rule]).apply(Record("C1"), event, late=False).firings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9" * 24 + " * 9999", 9999 * (10**24 - 1)),
        ("9" * 24 + " * 10001", None),
        ("-" + "9" * 24 + " * 10001", None),
        ("9" * 24 + ".5 * 10001", None),
        ("9" * 24 + " / 0.00001", None),
        ("0.000000000001 * 0.000000000001", Decimal("1E-24")),
        ("0.000000000001 * 0.000000000001 * 0.000000000001", 0),
        ("0 * 0.000000000001 * 0.000000000001 * 0.000000000001", 0),
        ("0.000000000001 / (1 / 0.000000000001) / (1 / 0.000000000001)", 0),
        (f"{'9' * 24} * 5000 + {'9' * 24} * 5001", None),
        (f"0 - {'9' * 24} * 5000 - {'9' * 24} * 5001.5", None),
    ],
)
def test_numbers_have_so_many_digits(text: str, expected: Any) -> None:
    """Beyond them they are unknown; what would begin after them is zero."""
    node = check(text, Scope(("page.viewed",)))
    assert node.type.optional
    world = World(random_data(Random(1), "page.viewed"), Record("C1"), {}, {}.__getitem__)
    (value, *_) = run_compiled(node, world, [])
    assert value == expected == interpret(node, world)
    assert len(render(value)) < 60


def test_a_window_over_a_number_with_more_decimals_than_it_keeps() -> None:
    text = "abs(sum(default(base_amount, 0.000000000001), transfer.completed, 1d)) >= 0"
    rules = compile_rules([RuleDefinition.model_validate(rule("a", **{"if": text}))])
    event = random_input(Random(1), types=["transfer.completed"])
    assert len(rules.apply(Record("C1"), event, late=False).firings) == 1


def test_random_rules_reach_everything() -> None:
    """A guard against a comparison that quietly stops looking: all kinds occur, rules fire."""
    random = Random(7)
    kinds: set[str] = set()
    firings = 0
    for _ in range(200):
        event = random_input(random)
        rule = random_rule(random, 1).model_copy(update={**OPEN, "on": [event.type]})
        text = Maker(random, event.type).flag(3)
        kinds |= {
            type(one).__name__
            for one in walk(check(text, Scope((event.type,), attributes=DECLARED)))
        }
        rules = compile_rules(
            [rule.model_copy(update={"let": {}, "if_": text})], attributes=DECLARED
        )
        firings += len(rules.apply(random_record(random), event, late=False).firings)
    elsewhere = {"Let", "Tags", "Holds", "StepField"}
    assert kinds >= {one.__name__ for one in Node.__subclasses__()} - elsewhere
    assert 40 < firings < 160


def test_what_raises_or_is_played_again_is_not_compiled_by_itself_at_run_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A chunk would wait for it."""
    sound = {"let": {}, "then": ALERT, "amendable": False}
    many = [
        written(id=f"rule-{n:03}", **sound, **{"if": "amount > 0"}) for n in range(MOST_TOGETHER)
    ]
    broken = written(id="broken", **sound, **{"if": "base_amount > 5"})
    rules, record = compile_rules([*many, broken, written(id="again")]), Record("C1")
    rules.forget_others(record)

    def compile_none(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(compiled, "compile_function", compile_none)
    for at in (ORIGIN + 2, ORIGIN + 1):
        record.activity.latest = ORIGIN + 2
        fired = rules.apply(record, transfer(at, "t"), late=False)
        assert not fired.failed
    assert [one.amends is not None for one in fired.firings].count(True) == 1
    event = transfer(ORIGIN + 3, "t")
    structs.force_setattr(event.event.data, "base_amount", "no number")
    fired = rules.apply(record, event, late=True)
    assert (len(fired.firings), fired.failed) == (MOST_TOGETHER, ["broken"])
