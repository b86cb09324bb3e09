"""Rules that can be amended: in whatever order events arrive, the same stands at the end."""

from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from schemas.effects import Alert, Task, decode_effect
from schemas.envelope import from_millis, to_millis
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.context import Context, CoreSettings
from streams.durations import DAY_MS
from streams.expressions.nodes import Base
from streams.growth import growth
from streams.inputs import Input
from streams.rules.amending import KEPT_EVENTS
from streams.rules.compiler import compile_rules
from streams.step import Stepped, step
from tests.rules.maker import ORIGIN, Maker, random_aggregate
from tests.rules.test_library import Customer
from tests.rules.twin import ZONE, Twin

HOUR = 3_600_000
ALERT = {"alert": {"text": {"en": "A", "zh": "甲"}}}
SETTINGS = CoreSettings(partitions=4, lateness=30 * DAY_MS, time_zone=ZONE)
TEXT = {"en": "A", "zh": "甲"}
TYPES = ("transfer.completed", "page.viewed", "logged.in", "card.authorised", "card.settled")
RANDOMS = st.randoms(use_true_random=True)


event_of = Customer().event


def rule(**changes: Any) -> RuleDefinition:
    written: dict[str, Any] = {
        "id": "a-rule",
        "version": 1,
        "title": TEXT,
        "kind": "risk",
        "owner": "tests",
        "status": "live",
        "on": "transfer.completed",
        "let": {"total": "sum(base_amount, transfer.completed, 7d)"},
        "if": "total > 100",
        "then": {"alert": {"text": {"en": "{total}", "zh": "{total}"}}},
        "amendable": True,
    }
    return RuleDefinition.model_validate(written | changes)


def named(event: Input, name: str) -> Input:
    one = structs.replace(event.event, id=name, time=from_millis(event.at))
    return structs.replace(event, event=one)


def transfer(at: int, name: str, amount: str | Decimal = "60", **data: Any) -> Input:
    money = {"amount": Decimal(amount), "base_amount": Decimal(amount), "currency": "CNY"}
    told = {"transfer": name, "account": "A1", "direction": "out", **money, **data}
    return named(event_of("transfer.completed", at, **told), name)


def reversal(at: int, name: str, way: str = "out") -> Input:
    money = {"amount": Decimal(1), "base_amount": Decimal(1), "currency": "CNY"}
    told = {"transfer": name, "account": "A1", "direction": way, **money}
    return named(event_of("transfer.reversed", at, **told), f"{name}-reversed")


class Run:
    """A customer's record, and what stands of what its rules made."""

    def __init__(self, *rules: RuleDefinition) -> None:
        self.put_in_force(*rules)
        self.record = Record("C1")
        self.made: list[Task | Alert] = []

    def put_in_force(self, *rules: RuleDefinition) -> None:
        compiled = compile_rules(rules, lateness=SETTINGS.lateness, zone=ZONE)
        self.context = Context(ORIGIN + 400 * DAY_MS, compiled, SETTINGS)

    def take(self, *events: Input) -> list[Task | Alert]:
        """Step events; what they made."""
        made: list[Task | Alert] = []
        for event in events:
            stepped: Stepped = step(self.record, event, self.context)
            assert not stepped.failed
            assert [decode_effect(one) for one in stepped.encoded] == list(stepped.effects)
            made += [one for one in stepped.effects if isinstance(one, Task | Alert)]
        self.made += made
        return made

    def reload(self) -> None:
        self.record = Record("C1", self.record.encode())

    @property
    def standing(self) -> dict[str, dict[str, str]]:
        """Each version follows the one before; the last of each that is not retracted stands."""
        last: dict[str, Task | Alert] = {}
        for one in self.made:
            thing = one.data.task_id if isinstance(one, Task) else one.data.alert_id
            before = last[thing].data if thing in last else None
            assert one.data.version == (before.version + 1 if before else 1)
            assert one.id == f"{thing}-{one.data.version}"
            assert (before is not None and before.state == "open") == (one.data.change != "raised")
            assert (one.data.state == "closed") == (one.data.change == "retracted")
            last[thing] = one
        return {name: one.data.values for name, one in last.items() if one.data.state == "open"}


def told(made: list[Task | Alert]) -> list[tuple[str, str, int]]:
    return [(one.data.change, one.data.values["total"], one.data.version) for one in made]


def test_a_reversal_retracts_and_amends() -> None:
    run = Run(rule())
    assert told(run.take(transfer(ORIGIN, "a"), transfer(ORIGIN + HOUR, "b"))) == [
        ("raised", "120", 1)
    ]
    assert told(run.take(transfer(ORIGIN + 2 * HOUR, "c"))) == [("raised", "180", 1)]
    taken = run.take(reversal(ORIGIN + 3 * HOUR, "a"))
    assert told(taken) == [("retracted", "120", 2), ("amended", "120", 2)]
    assert {one.data.cause.id for one in taken} == {"a-reversed"}
    assert all(one.data.late for one in taken)
    assert len(run.standing) == 1


def test_what_became_too_old_is_not_played_again() -> None:
    """Of a time that only what no rule looks at has moved on: windows have let go of it."""
    run = Run(rule(let={"total": "count(transfer.completed, 1m)"}, **{"if": "total == 0"}))
    run.take(*(transfer(ORIGIN + day * DAY_MS, f"{day}") for day in range(3)))
    assert run.take(reversal(ORIGIN + 45 * DAY_MS, "unknown")) == []
    assert run.take(reversal(ORIGIN + DAY_MS, "0")) == []


def test_windows_keep_what_an_event_in_time_asks_for_though_clocks_were_set_forward() -> None:
    """By the bank's clocks it is an hour older than it is."""
    berlin = ZoneInfo("Europe/Berlin")
    night = to_millis(datetime(2024, 3, 14, 23, 30, tzinfo=berlin))
    run = Run(rule(let={"total": "count(transfer.completed, 7d)"}, **{"if": "true"}))
    settings = CoreSettings(partitions=4, lateness=SETTINGS.lateness, time_zone=berlin)
    rules = compile_rules(run.context.rules.definitions, lateness=SETTINGS.lateness, zone=berlin)
    run.context = Context(night + 400 * DAY_MS, rules, settings)
    run.take(transfer(night - 6 * DAY_MS, "old"), transfer(night + 30 * DAY_MS, "new"))
    assert told(run.take(transfer(night, "late")))[0] == ("raised", "2", 1)


def test_a_late_event_raises_and_amends() -> None:
    run = Run(rule())
    run.take(transfer(ORIGIN, "a"), transfer(ORIGIN + DAY_MS, "c", "50"))
    run.reload()
    made = run.take(transfer(ORIGIN + HOUR, "b", "30"))
    assert told(made) == [("amended", "140", 2)]
    made = run.take(transfer(ORIGIN - HOUR, "d", "45"))
    assert told(made) == [("raised", "105", 1), ("raised", "135", 1), ("amended", "185", 3)]
    assert [one.data.late for one in made] == [True] * 3
    assert [one.data.cause.id for one in made] == ["d"] * 3


def test_a_reversal_that_came_first_leaves_nothing() -> None:
    run = Run(rule(**{"if": "true"}))
    assert not run.take(reversal(ORIGIN + HOUR, "a"), transfer(ORIGIN, "a"))
    assert told(run.take(transfer(ORIGIN + DAY_MS, "b"))) == [("raised", "60", 1)]


def test_a_reversal_that_came_first_leaves_nothing_of_what_came_too_late() -> None:
    run = Run(rule(let={"total": "base_amount"}, **{"if": "total > 0"}))
    run.take(reversal(ORIGIN + HOUR, "a"), reversal(ORIGIN + 45 * DAY_MS, "unknown"))
    assert run.take(transfer(ORIGIN, "a")) == []
    assert told(run.take(transfer(ORIGIN, "b"))) == [("raised", "60", 1)]


def test_the_first_of_a_stretch_counts() -> None:
    """The pause goes by stretches of event time, whatever comes first."""
    run = Run(rule(**{"if": "true", "cooldown": "7d"}))
    start = ORIGIN // (7 * DAY_MS) * 7 * DAY_MS
    assert len(run.take(transfer(start + DAY_MS, "b"), transfer(start + 2 * DAY_MS, "c"))) == 1
    changes = run.take(transfer(start, "a"))
    assert [one.data.change for one in changes] == ["raised", "retracted"]
    assert [one.data.change for one in run.take(reversal(start + HOUR, "a"))] == [
        "retracted",
        "raised",
    ]
    assert len(run.standing) == 1


@pytest.mark.parametrize("function", ["last", "max", "distinct"])
def test_what_fell_off_a_bucket_is_known_again_when_it_is_played(function: str) -> None:
    let = {"total": f"{function}(base_amount, transfer.completed, this month, prior=true)"}
    events = [transfer(ORIGIN + n * HOUR, f"t{n:02}", f"{n * 7 % 41 + 1}") for n in range(40)]
    back = [reversal(ORIGIN + 50 * HOUR + n, f"t{n:02}") for n in range(34, 40)]
    orderly, run = (Run(rule(let=let, **{"if": "known(total)"})) for _ in range(2))
    orderly.take(*events[:34])
    run.take(*events[2:], *events[:2], *back)
    assert run.standing == orderly.standing


@pytest.mark.parametrize("function", ["max", "last"])
def test_what_buckets_do_not_know_any_more_is_no_reason_to_retract(function: str) -> None:
    """More in a month than is played again: what was known when an event came may be so no more."""
    let = {"total": f"{function}(base_amount, transfer.completed, this month, prior=true)"}
    run = Run(rule(let=let, **{"if": "known(total)"}))
    first = to_millis(datetime(2023, 11, 2, tzinfo=ZONE))
    run.take(*(transfer(first + n * HOUR, f"t{n:03}", f"{n + 1}") for n in range(100)))
    before = run.standing
    run.take(transfer(first + 60 * HOUR + 1, "late", "1"))
    assert run.standing == before
    run.take(reversal(first + 200 * HOUR, "t099"))
    assert before.keys() - run.standing.keys() == {run.made[98].data.alert_id}


def test_what_is_withheld_is_recorded_once() -> None:
    run = Run(rule(status="shadow"))
    stepped = [
        step(run.record, one, run.context)
        for one in (
            transfer(ORIGIN + DAY_MS, "b"),
            transfer(ORIGIN, "a"),
            reversal(ORIGIN + 2 * DAY_MS, "a"),
        )
    ]
    assert [list(one.fired) for one in stepped] == [[], ["shadow:a-rule"], []]


def test_other_rules_do_what_they_did() -> None:
    run = Run(rule(amendable=False))
    run.take(transfer(ORIGIN, "a"), transfer(ORIGIN + HOUR, "b"))
    run.take(reversal(ORIGIN + 3 * HOUR, "a"))
    assert [one.data.change for one in run.made] == ["raised"]
    assert not run.record.activity.played


def test_what_is_kept_is_bounded_and_what_fell_off_stands() -> None:
    run = Run(rule(**{"if": "true"}))
    many = [transfer(ORIGIN + n * HOUR, f"t{n:03}") for n in range(KEPT_EVENTS + 20)]
    run.take(*many)
    assert len(run.record.activity.played) == KEPT_EVENTS
    assert run.record.activity.dropped["played"] == 20
    changes = run.take(transfer(ORIGIN - HOUR, "late"))
    assert {one.data.change for one in changes} == {"amended", "raised"}
    assert len(changes) == KEPT_EVENTS + 1
    run.take(transfer(ORIGIN + 100 * DAY_MS, "much-later"))
    assert len(run.record.activity.played) == 1


def test_an_event_that_is_too_late_amends_nothing() -> None:
    run = Run(rule())
    run.take(transfer(ORIGIN, "a"), transfer(ORIGIN + 40 * DAY_MS, "b", "90"))
    assert not run.take(transfer(ORIGIN + DAY_MS, "late"))
    assert len(run.record.activity.played) == 1


def test_a_record_grows_by_less_than_its_bound_with_all_that_is_raised_at_once() -> None:
    last = "default(last(purpose, transfer.completed, {}d), '')"
    shown = {f"long_{days}": last.format(days) for days in range(1, 16)}
    condition = "sum(base_amount, transfer.completed, 30d) > 9_000"
    run = Run(rule(let=shown, then=ALERT, **{"if": condition}))
    for n in range(KEPT_EVENTS - 1):
        run.take(transfer(ORIGIN + n * HOUR, f"t{n:03}", purpose=f"{n:03}" * 20))
    run.reload()
    before, event = len(run.record.encode()), transfer(ORIGIN - HOUR, "late", "10000")
    stepped = step(run.record, event, run.context)
    assert len(stepped.effects) >= 20
    grown = len(run.record.encode()) - before
    rules = run.context.rules
    assert 8_000 < grown < growth(event, 200, stepped, rules) + rules.reserve


def random_rule(random: Random, number: int) -> RuleDefinition:
    event_type = random.choice(TYPES)
    let: dict[str, str] = {}
    bases: dict[str, Base] = {}
    for i in range(random.randint(0, 2)):
        base = random.choice([Base.NUMBER, Base.FLAG])
        let[f"let_{i}"] = Maker(random, event_type, bases, amendable=True).of(base, 2)
        bases[f"let_{i}"] = base
    if random.random() < 0.5:
        let["number"] = random_aggregate(random, TYPES)
    action = {"text": TEXT}
    both = {"task": action, "alert": action}
    return rule(
        id=f"rule-{number}",
        on=event_type,
        let=let,
        then=random.choice([{"alert": action}, {"task": action}, both]),
        cooldown=random.choice([None, None, "3h", "2d", "9d"]),
        active=random.choice([None, None, {"until": "2023-11-25"}]),
        **{"if": Maker(random, event_type, bases, amendable=True).flag(2)},
    )


def payment(kind: str, at: int, name: str, amount: Decimal) -> Input:
    told = {"payment": name, "card": "A1", "currency": "CNY", "category": "5411", "country": "HK"}
    money = {"amount": amount, "base_amount": amount, "presence": "online"}
    return named(event_of(kind, at, **told, **money), f"{name}{kind}{at}")


def random_events(random: Random) -> tuple[list[Input], list[Input]]:
    """Events within the lateness, in order; and those that are left of them, as they are left."""
    events, left = list[Input](), list[Input]()
    for number in range(random.randint(2, 10)):
        at = ORIGIN + random.randint(0, 10 * 24) * 2 * HOUR // random.choice([1, 1, 24])
        name = f"{random.randint(0, 99):02}-{number}"
        match random.choice(TYPES):
            case "transfer.completed":
                amount, purpose = (
                    random.choice(("3", "100.5", "250000")),
                    random.choice(("HK", "gold")),
                )
                way = random.choice(("in", "out"))
                events.append(transfer(at, name, amount, purpose=purpose, direction=way))
                if random.random() < 0.7:
                    left.append(events[-1])
                else:
                    back = reversal(at + random.randint(0, 5 * DAY_MS), name)
                    data = structs.replace(back.event.data, direction=way)  # type: ignore[type-var]  # a struct
                    events.append(
                        structs.replace(back, event=structs.replace(back.event, data=data))
                    )
            case "page.viewed":
                data = {"page": "x", "page_topic": random.choice(("HK", None))}
                events.append(named(event_of("page.viewed", at, **data), name))
                left.append(events[-1])
            case "logged.in":
                events.append(named(event_of("logged.in", at, channel="app"), name))
                left.append(events[-1])
            case _:
                taken = random_payment(random, at, name, events)
                for kind in ("card.authorised", "card.settled"):
                    amount = Decimal(random.choice(("3", "100.5", "250000")))
                    events.append(payment(kind, at, name, amount))
                    if amount > taken:
                        left.append(payment(kind, at, name, amount - taken))
    return sorted(events, key=in_order), sorted(left, key=in_order)


def in_order(one: Input) -> tuple[int, str]:
    return one.at, one.event.id


def random_payment(random: Random, at: int, name: str, events: list[Input]) -> Decimal:
    """How much is taken back of a payment, with the reversals that do so."""
    amounts = [Decimal(random.choice(("2", "99", "100.5"))) for _ in range(random.randint(0, 2))]
    for number, amount in enumerate(amounts):
        back = at + number + random.randint(0, 5 * DAY_MS)
        events.append(payment("card.reversed", back, name, amount))
    return sum(amounts, Decimal(0))


@settings(max_examples=200, deadline=None)
@given(RANDOMS)
def test_the_order_of_arrival_does_not_count(random: Random) -> None:
    rules = [random_rule(random, number) for number in range(random.randint(1, 3))]
    events, left = random_events(random)
    orderly, twin = Run(*rules), Twin(rules)
    for event in left:
        made = orderly.take(event)
        assert all(one.data.change == "raised" and not one.data.late for one in made)
        expected = twin.apply(orderly.record, event, late=False)
        fired = dict.fromkeys((one.data.rule.id, tuple(one.data.values.items())) for one in made)
        assert list(fired) == [(name, tuple(values.items())) for name, values, _ in expected]
    for _ in range(3):
        arrival = random.sample(events, len(events))
        run = Run(*rules)
        for event in arrival:
            run.take(event)
            if random.random() < 0.3:
                run.reload()
        assert run.standing == orderly.standing


CROWDED = (
    ("base_amount == total", "max(base_amount, transfer.completed, {span})"),
    ("base_amount == total", "min(base_amount, transfer.completed, {span})"),
    ("known(total)", "max(base_amount, transfer.completed, {span}, prior=true)"),
    ("known(total)", "first(base_amount, transfer.completed, {span})"),
    ("known(total)", "last(base_amount, transfer.completed, {span}, prior=true)"),
    ("total > 0", "distinct(base_amount, transfer.completed, {span})"),
)
"""What a rule asks for, and of which aggregate: a bucket lets go of some of what it was given."""


@settings(max_examples=150, deadline=None)
@given(RANDOMS)
def test_the_order_in_which_a_crowd_arrives_does_not_count(random: Random) -> None:
    """More of one type in one bucket than a bucket keeps the values of."""
    condition, total = random.choice(CROWDED)
    span = random.choice(("1d", "30d", "this month"))
    asked = rule(let={"total": total.format(span=span)}, **{"if": condition})
    apart = random.choice((60_000, HOUR))
    events, left = list[Input](), list[Input]()
    several = random.randint(11, 40)
    for number in range(several):
        name, at = f"t{number:02}", ORIGIN + number * apart
        event = transfer(at, name, str(random.choice((number + 1, random.randint(1, 50)))))
        events.append(event)
        if several - number < 6 and random.random() < 0.5:  # what may be taken back is bounded
            events.append(reversal(at + random.randint(0, 5 * DAY_MS), name))
        else:
            left.append(event)
    orderly, run = Run(asked), Run(asked)
    orderly.take(*left)
    late = random.sample(events, random.choice((1, 2, len(events))))
    run.take(*(one for one in events if one not in late), *late)
    assert run.standing == orderly.standing


def test_random_events_amend() -> None:
    """A guard: what the property is about happens."""
    random, changes = Random(2), dict[str, int]()
    for _ in range(120):
        run = Run(random_rule(random, 1))
        events, _ = random_events(random)
        for event in random.sample(events, len(events)):
            for one in run.take(event):
                change = one.data.change if one.data.late else "in order"
                changes[change] = changes.get(change, 0) + 1
    assert len(changes) == 4, changes
    assert min(changes.values()) >= 5, changes
