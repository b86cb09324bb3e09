"""Sequences: which chain of events counts, and in whatever order they arrive."""

from decimal import Decimal
from itertools import permutations
from random import Random
from typing import Any

import pytest

from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.durations import DAY_MS
from streams.inputs import Input
from streams.recent import KEPT_EVENTS, KEPT_LENGTH, Recent, keep
from streams.rules.compiler import compile_rules
from streams.rules.ruleset import RuleSet
from tests.rules.maker import DECLARED, random_input, random_record
from tests.rules.test_compiled import OPEN, random_rule
from tests.rules.test_library import Customer

MINUTE = 60_000
START = 1_700_000_000_000
ALERT = {"alert": {"text": {"en": "A", "zh": "甲"}}}

event_of = Customer().event


def rule(**changes: Any) -> RuleDefinition:
    """Login with one device, then with another, then a transfer."""
    text = {"en": "{other.device} after {usual.device}", "zh": "甲"}
    written: dict[str, Any] = {
        "id": "takeover",
        "version": 1,
        "title": {"en": "A", "zh": "甲"},
        "kind": "risk",
        "owner": "tests",
        "status": "live",
        "on": "transfer.completed",
        "sequence": {
            "within": "2h",
            "steps": [
                {"name": "usual", "on": "logged.in"},
                {"name": "other", "on": "logged.in", "if": "device != usual.device"},
            ],
        },
        "if": "base_amount > 100",
        "then": {"alert": {"text": text}},
    }
    return RuleDefinition.model_validate(written | changes)


def login(minute: int, device: str) -> Input:
    at = START + minute * MINUTE
    return event_of("logged.in", at, channel="app", device=device)


def transfer(minute: int, purpose: str = "rent", amount: str = "500") -> Input:
    return event_of(
        "transfer.completed",
        START + minute * MINUTE,
        transfer=f"T{minute}",
        account="A1",
        direction="out",
        amount=Decimal(amount),
        base_amount=Decimal(amount),
        currency="CNY",
        purpose=purpose,
    )


def run(rules: RuleSet, events: list[Input]) -> list[dict[str, str]]:
    record, fired = Record("C1"), []
    for event in events:
        record.activity.latest = max(record.activity.latest, event.at)
        fired += [one.values for one in rules.apply(record, event, late=False).firings]
        record = Record("C1", record.encode())
    return fired


def test_steps_that_differ_in_a_quoted_blank_are_two() -> None:
    def asking(device: str) -> RuleDefinition:
        steps = [{"name": "usual", "on": "logged.in", "if": f"device  ==\n'{device}'"}]
        text = {"en": "{usual.device}", "zh": "甲"}
        return rule(
            id=f"asks-{len(device)}",
            sequence={"within": "2h", "steps": steps},
            then={"alert": {"text": text}},
        )

    rules = compile_rules([asking("a b"), asking("a  b")])
    for device in ("a b", "a  b"):
        (fired,) = run(rules, [login(0, device), transfer(5)])
        assert fired["usual.device"] == device


def test_the_latest_of_several_counts() -> None:
    events = [login(0, "a"), login(5, "b"), login(10, "c"), login(15, "d"), transfer(20)]
    (values,) = run(compile_rules([rule()]), events)
    assert values["other.device"] == "d"
    assert values["usual.device"] == "c"


@pytest.mark.parametrize(
    "events",
    [
        [login(0, "a"), transfer(20)],
        [login(0, "a"), login(5, "a"), transfer(20)],
        [login(0, "a"), transfer(20), login(25, "b")],
        [login(0, "a"), login(5, "b"), transfer(121)],
        [login(0, "a"), login(0, "b"), transfer(20)],
        [login(0, "a"), login(5, "b"), transfer(5)],
        [login(0, "a"), login(5, "b" * (KEPT_LENGTH + 1)), transfer(20)],
        [login(0, "a"), login(5, "b"), transfer(20, amount="50")],
    ],
)
def test_no_chain(events: list[Input]) -> None:
    assert run(compile_rules([rule()]), events) == []


def test_any_chain_that_fits_the_event_is_found() -> None:
    """The last step need not be the last event of its type."""
    steps = [{"name": "before", "on": "transfer.completed", "if": "base_amount < 10"}]
    written = rule(
        sequence={"within": "1d", "steps": steps},
        **{"if": "base_amount > 100 and purpose == before.purpose"},
        then={"alert": {"text": {"en": "{before.purpose}", "zh": "甲"}}},
    )
    events = [transfer(0, "x", "1"), transfer(5, "y", "2"), transfer(10, "x"), transfer(15, "z")]
    assert [one["before.purpose"] for one in run(compile_rules([written]), events)] == ["x"]


def test_steps_may_arrive_in_any_order() -> None:
    steps = [login(0, "a"), login(5, "b"), login(10, "b")]
    for order in permutations(steps):
        (values,) = run(compile_rules([rule()]), [*order, transfer(20)])
        assert (values["usual.device"], values["other.device"]) == ("a", "b")


def test_a_reversed_step_is_none() -> None:
    steps = [{"name": "before", "on": "transfer.completed"}]
    rules = compile_rules([rule(sequence={"within": "1d", "steps": steps}, then=ALERT)])
    record, first, second = Record("C1"), transfer(0), transfer(5)
    assert not rules.apply(record, first, late=False).firings
    assert rules.apply(record, second, late=False).firings
    rules.retract(record, second, 0)
    rules.retract(record, first, 0)
    assert not rules.apply(record, transfer(7), late=False).firings


def test_to_an_event_that_came_too_late_there_is_no_chain() -> None:
    rules, record = compile_rules([rule()]), Record("C1")
    for event in (login(0, "a"), login(5, "b")):
        rules.apply(record, event, late=False)
    assert not rules.apply(record, transfer(20), late=True).firings


def test_what_is_kept_is_bounded_and_forgotten() -> None:
    recent = Recent(keep=DAY_MS, decimals=(None,))
    state = recent.new()
    for minute in range(100):
        recent.add(state, START + minute * MINUTE, [keep(f"p{minute}", 0)], START + minute * MINUTE)
    assert len(state[0]) == KEPT_EVENTS
    seen = recent.reader(DAY_MS)(state, START + 99 * MINUTE)
    assert seen[0] == (START + 98 * MINUTE, ("p98",))
    assert len(seen) == KEPT_EVENTS - 1
    later = START + 3 * DAY_MS
    recent.add(state, later, ["x"], later)
    assert len(state[0]) == 1


def test_random_sequences_find_chains() -> None:
    """A guard: the property test of test_compiled.py must meet rules that look back and fire."""
    random, firings, types = Random(11), 0, ("logged.in", "transfer.completed")
    for _ in range(300):
        one = random_rule(random, 1, types).model_copy(
            update={name: value for name, value in OPEN.items() if name != "sequence"}
        )
        if one.sequence is None:
            continue
        record, rules = random_record(random), compile_rules([one], attributes=DECLARED)
        for _ in range(15):
            event = random_input(random, types=types)
            record.activity.latest = max(record.activity.latest, event.at)
            firings += len(rules.apply(record, event, late=False).firings)
    assert firings > 30
