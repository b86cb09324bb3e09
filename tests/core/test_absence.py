"""A rule that waits for an answer: it fires once, where none came, whatever the order."""

from collections.abc import Iterable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import msgpack

from schemas.activity import Timer
from schemas.effects import Task
from schemas.profile import NEVER
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.chunk import Outcome
from streams.inputs import Input
from streams.intake import Entry
from streams.rules.compiler import compile_rules
from streams.rules.ruleset import RuleSet
from streams.waits import absence
from tests.core.test_timers import LATER, ORIGIN, Bank, tasks

MINUTE = 60_000
RULE: dict[str, Any] = {
    "id": "unfinished",
    "version": 1,
    "title": {"en": "Unfinished", "zh": "未完成"},
    "kind": "service",
    "owner": "App",
    "status": "live",
    "on": "journey.started",
    "let": {"starts": "count(journey.started, 1d)"},
    "if": "journey == 'fx'",
    "wait": {
        "for": "30m",
        "without": {
            "on": ["journey.completed", "journey.abandoned"],
            "where": "step != 'later'",
            "same": "attempt",
        },
    },
    "then": {"task": {"text": {"en": "{attempt}, {starts}", "zh": "{attempt}"}, "due": "1d"}},
}


def rules(**change: Any) -> RuleSet:
    return compile_rules([RuleDefinition.model_validate({**RULE, **change})])


class App(Bank):
    def __init__(self, **change: Any) -> None:
        super().__init__(rules(**change))
        self.pending: list[Entry] = []
        """Entries of the chunk to come."""

    def start(self, minute: float, attempt: str = "A1", **other: Any) -> Outcome:
        return self.journey("started", minute, attempt, **other)

    def end(self, minute: float, attempt: str = "A1", **other: Any) -> Outcome:
        return self.journey("completed", minute, attempt, **{"step": "sign", **other})

    def journey(self, kind: str, minute: float, attempt: str, **other: Any) -> Outcome:
        data = {"journey": "fx", "attempt": attempt, **other}
        return self.send(f"journey.{kind}", ORIGIN + int(minute * MINUTE), **data)

    def by(self, minute: float) -> list[str]:
        """The texts of the tasks that the timers make by then."""
        return texts(self.until(ORIGIN + int(minute * MINUTE)))


def texts(outcome: Outcome) -> list[str]:
    return [task.data.text["en"] for task in tasks(outcome)]


def test_without_an_answer_it_fires_once_with_what_was_then() -> None:
    app = App()
    assert not tasks(app.start(0))
    app.start(10, "A2", journey="loan")
    assert app.by(29.9) == []
    (task,) = tasks(app.until(ORIGIN + 30 * MINUTE))
    assert task.data.text["en"] == "A1, 1", "there was one start at that time"
    assert task.data.values == {"starts": "1", "journey": "fx", "attempt": "A1"}
    assert (task.data.cause.id, task.data.cause.type) == ("1", "journey.started")
    assert task.time == task.data.waited_until
    assert app.record.header.next_due == NEVER
    assert not app.record.activity.timers
    assert app.by(10_000) == []


@pytest.mark.parametrize(
    ("answer", "is_one"),
    [
        ({}, True),
        ({"attempt": "A2"}, False),
        ({"step": "later"}, False),
        ({"step": None}, False),
        ({"minute": 29.99}, True),
        ({"minute": 0}, True),
        ({"minute": -1}, False),
        ({"minute": 30}, False),
    ],
)
def test_what_answers(answer: dict[str, Any], *, is_one: bool) -> None:
    app = App()
    app.start(0)
    made = texts(app.end(**{"minute": 5, **answer}))
    made += app.by(10_000)
    assert made == ([] if is_one else ["A1, 1"])


def test_a_late_answer_counts_while_the_timer_waits() -> None:
    app = App()
    app.start(0)
    app.start(20, "A2")
    app.end(15)
    assert app.by(10_000) == ["A2, 2"]


def test_an_answer_that_came_before_what_it_answers_counts() -> None:
    app = App()
    app.end(5)
    app.start(0)
    app.start(5, "A3")
    assert app.by(10_000) == ["A3, 2"]


def test_an_answer_ahead_of_the_bank_clock_is_none_to_what_is_due_before_it() -> None:
    app, due = App(), ORIGIN + 30 * MINUTE
    app.start(0)
    answer = {"journey": "fx", "attempt": "A1", "step": "sign"}
    app.send("journey.completed", due + MINUTE, now=due - 1, **answer)
    assert app.by(10_000) == ["A1, 1"]


def test_a_topic_that_is_ahead_does_not_tell_that_nobody_answered() -> None:
    app = App()
    app.start(0)
    assert not tasks(app.send("logged.in", ORIGIN + 100 * MINUTE, channel="app"))
    app.end(5)
    assert app.by(10_000) == []
    app.start(200)
    app.send("logged.in", ORIGIN + 300 * MINUTE, channel="app")
    assert app.by(229.9) == []
    assert app.by(230) == ["A1, 2"]


def test_what_is_unknown_has_no_answer() -> None:
    wait = {"for": "30m", "without": {"on": "journey.completed", "same": ["product"]}}
    app = App(wait=wait)
    app.start(0, "A1")
    app.start(0, "A2", product="P1")
    app.end(1, "A1")
    app.end(1, "A2", product="P1")
    assert app.by(10_000) == ["A1, 1"]


def test_silence_is_the_absence_of_its_own_type() -> None:
    silent = {"wait": {"for": "1h", "without": "logged.in"}, "on": "logged.in", "if": "true"}
    app = App(**silent, let={}, then={"task": {"text": {"en": "Silent", "zh": "静"}}})
    for minute in (0, 50, 20, 100):
        app.send("logged.in", ORIGIN + minute * MINUTE, channel="app")
    assert app.record.header.next_due == ORIGIN + 160 * MINUTE
    assert len(app.record.activity.timers) == 1
    assert app.by(10_000) == ["Silent"]


def test_cooldown_and_limit_are_looked_at_when_it_is_due() -> None:
    app = App(cooldown="1h")
    for minute in (0, 10, 100):
        app.start(minute, f"A{minute}")
    assert app.by(10_000) == ["A0, 1", "A100, 3"], "A10 was due within the hour"
    assert app.record.activity.cooldowns == {"unfinished": ORIGIN + 130 * MINUTE}


def test_a_rule_that_is_gone_or_waits_otherwise_now_fires_nothing() -> None:
    for other in (
        {"status": "retired"},
        {"wait": None},
        {"on": ["deposit.placed"], "if": "true", "then": RULE["then"], "let": {}},
    ):
        app = App()
        app.start(0)
        if "on" in other:
            other |= {"wait": {"days": 7, "before": "matures_on"}}
            other["then"] = {"task": {"text": {"en": "A", "zh": "甲"}}}
        app.rules = rules(**other)
        outcome = app.until(LATER)
        assert not outcome.effects
        assert outcome.counts["timers"] == 1
        assert not app.record.activity.timers


def test_the_timers_of_a_customer_are_bounded_and_those_due_first_stay() -> None:
    many = [
        RuleDefinition.model_validate(
            {**RULE, "id": f"unfinished-{n}", "let": {f"v{m}": "journey" for m in range(14)}}
            | {"then": {"task": {"text": {"en": "{attempt}", "zh": "{attempt}"}}}}
        )
        for n in range(6)
    ]
    app = App()
    app.rules = compile_rules(many)
    for minute in range(20):
        app.start(minute, f"{minute}".zfill(128))
    held = app.record.activity
    assert len(held.timers) == absence.MAX_TIMERS
    assert max(timer.at for timer in held.timers.values()) < ORIGIN + absence.MAX_A_RULE * MINUTE
    assert held.dropped["timers"] == 6 * 20 - absence.MAX_TIMERS
    assert len(app.record.encode()) < app.rules.weight.total
    assert len(app.by(10_000)) == absence.MAX_TIMERS


def test_answers_that_are_remembered_are_bounded_and_what_nobody_knows_is_answered() -> None:
    app = App()
    for minute in range(20, 20 + absence.MAX_ANSWERS + 1):
        app.end(minute, f"A{minute}")
    (kept,) = app.record.activity.answers.values()
    assert len(kept) == 16 * absence.MAX_ANSWERS
    app.start(20, "older")
    app.start(21, "newer")
    assert app.by(10_000) == ["newer, 2"]


def test_answers_of_a_rule_that_is_gone_go_with_it() -> None:
    app = App()
    app.end(0)
    assert len(app.record.activity.answers) == 1
    app.rules = compile_rules([])
    app.end(1)
    assert not app.record.activity.answers


def test_a_timer_of_before_is_read() -> None:
    """The record did not keep values before."""
    place = {"source": "/s", "id": "1", "type": "t", "at": 1, "topic": "b", "partition": 0}
    old = msgpack.encode({"about": "2026-01-01", "due": 5, "offset": 1, **place})
    assert msgpack.decode(old, type=Timer).values == {}


class Told:
    """Starts and answers in a list, and what was fired: the twin."""

    def __init__(self, cooldown: int) -> None:
        self.cooldown = cooldown
        self.came: list[Input] = []
        self.pending: list[tuple[int, Input]] = []
        self.fired: list[tuple[str, int]] = []
        self.last = -LATER

    def until(self, time: int) -> None:
        for due, start in sorted(self.pending, key=by_time):
            if due <= time:
                self.pending.remove((due, start))
                if not self.cooldown or due >= self.last + self.cooldown:
                    self.last = due
                    self.fired.append((start.event.data.attempt, due))

    def take(self, event: Input) -> None:
        for due, start in list(self.pending):
            if answers(event, start) and start.at <= event.at < due:
                self.pending.remove((due, start))
        if event.type == "journey.started" and event.event.data.journey == "fx":
            due = event.at + 30 * MINUTE
            before = (one for one in self.came if answers(one, event))
            if not any(event.at < one.at < due for one in before):
                self.pending.append((due, event))
        self.came.append(event)


def by_time(one: tuple[int, Input]) -> tuple[int, str]:
    """Those due at once fire in the order of their timers' keys."""
    due, start = one
    return due, absence._name(start)


def answers(event: Input, start: Input) -> bool:
    if event.type == "journey.started" or event.event.data.step in (None, "later"):
        return False
    return bool(event.event.data.attempt == start.event.data.attempt)


def random_event(app: App, random: Random, minute: float) -> Input:
    kind = random.choice(("started", "started", "completed", "abandoned"))
    data = {
        "journey": random.choice(("fx", "fx", "fx", "loan")),
        "attempt": random.choice(("A1", "A2")),
        "step": random.choice(("sign", "later", None)),
    }
    at = ORIGIN + int(minute * MINUTE)
    entry = app.entry(f"journey.{kind}", at, **data)
    assert entry.input is not None
    app.pending.append(entry)
    return entry.input


def fired(effects: Iterable[object]) -> list[tuple[str, int]]:
    found = [one for one in effects if isinstance(one, Task)]
    return [(one.data.values["attempt"], int(one.time.timestamp() * 1_000)) for one in found]


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=True), st.sampled_from([None, "20m"]))
def test_it_fires_what_its_twin_fires(random: Random, cooldown: str | None) -> None:
    """In any order, in any chunks, with a partition's time that goes on meanwhile."""
    app = App(cooldown=cooldown)
    twin, time, made = Told(20 * MINUTE if cooldown else 0), ORIGIN, list[tuple[str, int]]()
    for step in range(random.randint(1, 10)):
        minute = step * random.choice((3, 10)) - random.choice((0, 0, 5, 25))
        twin.take(random_event(app, random, minute))
        if random.random() < 0.6:
            made += _flush(app)
            if random.random() < 0.4:
                time = max(time, ORIGIN + int(minute * MINUTE))
                twin.until(time)
                made += fired(app.until(time).effects)
        if random.random() < 0.3:
            app.record = Record(app.record.customer, app.record.encode())
    made += _flush(app)
    made += fired(app.until(LATER).effects)
    twin.until(LATER)
    assert sorted(made) == sorted(twin.fired)
    assert app.record.header.next_due == NEVER


def _flush(app: App) -> list[tuple[str, int]]:
    entries, app.pending = app.pending, []
    return fired(app.apply(entries, LATER, -1, ()).effects)


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=True))
def test_the_order_of_arrival_does_not_matter_before_the_time(random: Random) -> None:
    one, other = App(), App()
    minutes = random.sample(range(29), 8)
    for minute in minutes:
        random_event(one, random, minute)
    other.pending = random.sample(one.pending, len(minutes))
    for app in (one, other):
        _flush(app)
    assert fired(one.until(LATER).effects) == fired(other.until(LATER).effects)


PAID = {
    "on": "page.viewed",
    "let": {},
    "if": "true",
    "wait": {"for": "30m", "without": {"on": "transfer.completed", "where": "amount > 5"}},
    "then": {"task": {"text": {"en": "Not paid", "zh": "未付"}}},
}
MONEY = {"account": "A1", "direction": "out", "amount": "10", "currency": "CNY"}


class Payer(App):
    """Is asked to pay, pays, and the payment is reversed."""

    def ask(self, minute: float) -> None:
        self.send("page.viewed", ORIGIN + int(minute * MINUTE), page="bill")

    def pay(self, minute: float, name: str = "T1", kind: str = "completed") -> None:
        data = {**MONEY, "transfer": name}
        self.send(f"transfer.{kind}", ORIGIN + int(minute * MINUTE), **data)

    def undo(self, minute: float, name: str = "T1") -> None:
        self.pay(minute, name, "reversed")


@pytest.mark.parametrize(
    ("steps", "made"),
    [
        ([("ask", 0), ("pay", 5)], []),
        ([("ask", 0), ("pay", 5), ("undo", 10)], ["Not paid"]),
        ([("pay", 5), ("undo", 10), ("ask", 0)], ["Not paid"]),
        ([("undo", 10), ("pay", 5), ("ask", 0)], ["Not paid"]),
        ([("undo", 10), ("ask", 0), ("pay", 5)], ["Not paid"]),
        ([("ask", 0), ("pay", 5), ("pay", 6, "T2"), ("undo", 10)], []),
        (
            [("ask", 0), ("pay", 5), ("pay", 6, "T2"), ("undo", 10), ("undo", 10, "T2")],
            ["Not paid"],
        ),
        ([("ask", 0), ("pay", 5), ("undo", 10), ("pay", 20, "T2")], []),
        ([("ask", 0), ("pay", 5), ("undo", 31)], []),
    ],
)
def test_an_answer_that_was_taken_back_before_the_time_is_none(
    steps: list[Any], made: list[str]
) -> None:
    payer = Payer(**PAID)
    for name, *told in steps:
        getattr(payer, name)(*told)
        payer.record = Record(payer.record.customer, payer.record.encode())
    assert payer.by(10_000) == made
    assert payer.record.header.next_due == NEVER


def test_nothing_waits_after_what_was_taken_back() -> None:
    wait = {"for": "30m", "without": "logged.in"}
    for first in ("pay", "undo"):
        payer = Payer(**PAID | {"on": "transfer.completed", "wait": wait})
        payer.pay(0, "T2")
        getattr(payer, first)(1)
        getattr(payer, "undo" if first == "pay" else "pay")(2 if first == "pay" else 0)
        assert payer.by(10_000) == ["Not paid"], "of T2 alone"


def test_what_nobody_knows_stays_answered_though_a_later_answer_was_taken_back() -> None:
    payer = Payer(**PAID)
    payer.pay(1, "first")
    for number in range(absence.MAX_ANSWERS):
        payer.pay(40 + number, f"T{number}")
    payer.undo(50, f"T{absence.MAX_ANSWERS - 1}")
    payer.ask(0)
    payer.ask(39)
    payer.ask(46.5)
    assert payer.by(10_000) == ["Not paid"], "after the last one that was not taken back"


def test_what_was_answered_is_kept_within_bounds_and_until_it_is_over() -> None:
    payer = Payer(**PAID)
    for number in range(3 * absence.MAX_ANSWERED):
        payer.ask(number)
        payer.pay(number + 0.5, f"T{number}")
    assert len(payer.record.activity.answered) == absence.MAX_ANSWERED
    payer.ask(100)
    payer.pay(101, "last")
    assert len(payer.record.activity.answered) == 1
