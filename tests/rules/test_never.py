"""What is seen never to be true is not true, of whatever is looked at; of clauses about one value
all is seen."""

from collections.abc import Callable
from decimal import Decimal
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events.core import TransferData
from schemas.record import Record
from streams.durations import DAY_MS
from streams.expressions.check import check
from streams.expressions.doubts import Codes, Known, doubts
from streams.expressions.interpret import World, interpret
from streams.expressions.never import never
from streams.expressions.nodes import FLAG, And, Base, Holds, Node, Not
from streams.expressions.ranges import known_ranges
from streams.expressions.scope import Scope
from tests.rules.maker import (
    DECLARED,
    ORDER,
    ORIGIN,
    TYPES,
    Maker,
    random_data,
    random_facts,
    random_input,
    random_record,
)
from tests.rules.test_amendable import Run, reversal, rule, transfer

RANDOMS = st.randoms(use_true_random=True)
COUNT = "count(logged.in, 1d)"
LETS = {"n": COUNT, "few": "n < 2", "large": "base_amount > 1"}
NUMBERS = ("-1", "0", "1", "1.5", "2")
AMOUNTS = ("-2", "-1", "-0.5", "0", "0.5", "1", "1.2", "1.5", "1.7", "2", "3")
ASKED_DAYS = ("2026-01-01", "2026-01-03", "2026-01-05")
OPENED = (*ASKED_DAYS, "2025-12-31", "2026-01-02", "2026-01-04", "2026-01-06")
CLAUSES: dict[str, Callable[[Random], str]] = {
    "amount": lambda random: f"base_amount {random.choice(ORDER)} {random.choice(NUMBERS)}",
    "flipped": lambda random: f"{random.choice(NUMBERS)} {random.choice(ORDER)} base_amount",
    "amounts": lambda random: f"base_amount in [{', '.join(random.sample(NUMBERS[1:], 2))}]",
    "large": lambda _: "large",
    "count": lambda random: f"{COUNT} {random.choice(ORDER)} {random.choice(NUMBERS)}",
    "let": lambda random: f"n {random.choice(ORDER)} {random.choice(NUMBERS)}",
    "few": lambda _: "few",
    "way": lambda random: (
        f"direction {random.choice(('==', '!='))} {random.choice(('in', 'out'))!r}"
    ),
    "land": lambda random: f"counterparty_country in {random.sample(['CN', 'HK', 'MO'], 2)}",
    "day": lambda random: f"profile.opened_on {random.choice(ORDER)} {random.choice(ASKED_DAYS)!r}",
    "pair": lambda random: f"base_amount {random.choice(ORDER)} amount",
    "turned": lambda random: f"amount {random.choice(ORDER)} base_amount",
    "self": lambda random: f"base_amount {random.choice(ORDER)} base_amount",
    "tag": lambda _: "'golf' in tags",
    "known": lambda _: "known(counterparty_country)",
    "literal": lambda random: random.choice(("true", "false", "1 < 2", "2 < 1")),
}
"""About what → a clause at random."""
OF = {
    "amount": ("amount", "flipped", "amounts", "large"),
    "count": ("count", "let", "few"),
    "way": ("way",),
    "land": ("land",),
    "day": ("day",),
    "pair": ("pair", "turned", "self"),
    "tag": ("tag",),
}
GRID: dict[str, list[Any]] = {
    "amount": [
        None,
        *map(Decimal, ("-2", "-1", "-0.5", "0", "0.5", "1", "1.2", "1.5", "1.7", "2", "3")),
    ],
    "count": [None, 0, 1, 2, 3],
    "way": ["in", "out"],
    "land": [None, "CN", "HK", "MO", "JP"],
    "day": [None, *OPENED],
    "pair": [None, *map(Decimal, ("0.5", "1", "1.5"))],
    "tag": [True, False],
}
"""About what → every kind of value: each constant, and what is below, between and above."""


def checked(text: str) -> tuple[Node, dict[str, Node]]:
    lets: dict[str, Node] = {}
    scope = Scope(("transfer.completed",))
    for name, written in LETS.items():
        lets[name] = check(written, scope)
        scope = Scope(scope.types, {**scope.lets, name: lets[name].type})
    return check(text, scope, Base.FLAG), lets


def is_ever(wanted: bool, node: Node, lets: dict[str, Node], grid: dict[str, list[Any]]) -> bool:
    """Whether there are values of the grid of which a condition is true, or false."""
    for values in product(*grid.values()):
        world = dict(zip(grid, values, strict=True))
        data = TransferData(
            transfer="T1",
            account="A",
            direction=world.get("way", "in"),
            amount=Decimal(1),
            currency="CNY",
            base_amount=world.get("amount", world.get("pair", Decimal(1))),
            counterparty_country=world.get("land"),
        )
        record = Record("C1")
        record.edit_profile().basics.opened_on = world.get("day")
        if world.get("tag"):
            record.edit_profile().tags["golf"] = 0
        count = world.get("count", 1)
        if interpret(node, World(data, record, lets, lambda _, n=count: n)) is wanted:
            return True
    return False


@settings(max_examples=400, deadline=None)
@given(RANDOMS)
def test_of_one_value_all_is_seen(random: Random) -> None:
    about = random.choice(sorted(OF))
    several = [CLAUSES[random.choice(OF[about])](random) for _ in range(random.randint(1, 4))]
    text = " and ".join(f"not ({one})" if random.random() < 0.3 else one for one in several)
    node, lets = checked(text)
    reason = never(node, lets, known_ranges(lets))
    assert bool(reason) is not is_ever(True, node, lets, {about: GRID[about]}), (text, reason)


def condition(random: Random, about: list[str], depth: int = 3) -> str:
    if not depth or random.random() < 0.3:
        return CLAUSES[random.choice(about)](random)
    parts = [condition(random, about, depth - 1) for _ in range(random.randint(1, 3))]
    joined = f" {random.choice(('and', 'and', 'or'))} ".join(parts)
    return f"not ({joined})" if random.random() < 0.2 else f"({joined})"


@settings(max_examples=400, deadline=None)
@given(RANDOMS)
def test_what_is_never_true_is_not_true_of_any_values(random: Random) -> None:
    values = random.sample(sorted(OF), 2)
    about = [*OF[values[0]], *OF[values[1]], "literal", "known"]
    node, lets = checked(condition(random, about))
    ranges = known_ranges(lets)
    grid = {one: GRID[one] for one in {*values, "land"}}
    if never(node, lets, ranges):
        assert not is_ever(True, node, lets, grid)
    if never(node, lets, ranges, is_=False):
        assert not is_ever(False, node, lets, grid)


@settings(max_examples=400, deadline=None)
@given(RANDOMS)
def test_what_unless_never_lets_through_is_not_true_of_any_values(random: Random) -> None:
    values = random.sample(sorted(OF), 2)
    about = [*OF[values[0]], *OF[values[1]], "literal", "known"]
    (one, lets), (other, _) = (checked(condition(random, about, 2)) for _ in range(2))
    node = And(FLAG, (one, Not(FLAG, Holds(FLAG, other))))
    if never(node, lets, known_ranges(lets)):
        assert not is_ever(True, node, lets, {one: GRID[one] for one in {*values, "land"}})
    if never(node, lets, known_ranges(lets), is_=False):
        assert not is_ever(False, node, lets, {one: GRID[one] for one in {*values, "land"}})


@pytest.mark.parametrize(
    ("condition", "unless", "is_seen"),
    [
        ("direction == 'out'", "direction == 'out'", True),
        ("base_amount > 100", "base_amount > 50", True),
        ("base_amount > 100", "base_amount > 150", False),
        ("true", "direction == 'in' or direction == 'out'", True),
        ("true", "counterparty_country == 'CN' or counterparty_country != 'CN'", False),
        ("counterparty_country in ['CN', 'HK']", "counterparty_country != 'JP'", True),
        ("large and few", "few and large", True),
        ("large and few", "n < 2 and (base_amount > 2 or base_amount > 1)", True),
        ("large", "few and large", False),
        ("base_amount > amount", "amount < base_amount", True),
        ("'golf' in tags", "'golf' in tags", True),
        ("'golf' in tags", "'tea' in tags", False),
    ],
)
def test_what_unless_leaves_over(condition: str, unless: str, is_seen: bool) -> None:
    (one, lets), (other, _) = checked(condition), checked(unless)
    node = And(FLAG, (one, Not(FLAG, Holds(FLAG, other))))
    assert bool(never(node, lets, known_ranges(lets))) is is_seen


@settings(max_examples=800, deadline=None)
@given(RANDOMS)
def test_what_is_never_true_is_not_true_of_any_event(random: Random) -> None:
    event_type = random.choice(TYPES)
    written = Maker(random, event_type).flag()
    scope = Scope((event_type,), attributes=DECLARED)
    node = check(written, scope)
    doubts(written, scope, Known({}, frozenset([event_type]), Codes(frozenset(), frozenset())))
    reason = never(node, {}, known_ranges({}))
    if not reason:
        return
    for _ in range(5):
        count = random.choice([None, 0, 3, 12])  # all the same: a share is of what there is
        facts, at = random_facts(random), random_input(random).at
        record, event = random_record(random), random_data(random, event_type)
        world = World(event, record, {}, lambda _, n=count: n, facts=facts, at=at)
        assert interpret(node, world) is not True, (written, reason)


@settings(max_examples=100, deadline=None)
@given(RANDOMS)
def test_the_event_that_is_looked_at_is_counted(random: Random) -> None:
    """Whatever comes late, in another order, or was taken back before it came."""
    span = random.choice(("1m", "7d", "90d", "this month"))
    condition = f"count(transfer.completed, {span}) == 0"
    run = Run(rule(amendable=random.random() < 0.5, **{"if": condition}))
    days = [random.randrange(60) for _ in range(8)]
    events = [transfer(ORIGIN + day * DAY_MS, f"{name}") for name, day in enumerate(days)]
    events += [reversal(one.at + DAY_MS, f"{name}") for name, one in enumerate(events[:4])]
    random.shuffle(events)
    run.take(*events)
    assert not run.made
