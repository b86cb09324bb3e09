"""Broadcasts: whoever is a customer when a walk ends, or comes before the last day is over, was
told once, whatever happens."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from agents.lane import walking
from agents.lane.walking import Walking
from config.load_calendar import read_calendar
from schemas.effects import Task
from schemas.envelope import from_millis, to_millis
from schemas.events.campaign import CAMPAIGNS
from schemas.position import Position, Range, Walk
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams import effects as effects_module
from streams import replay as replaying
from streams.announced import Announced, holidays_ahead
from streams.broadcasts import begin, is_over, listens, walked
from streams.calendar import Calendar
from streams.chunk import Outcome, apply_chunk
from streams.context import Context, CoreSettings
from streams.due import DueList
from streams.facts import MAX_ANNOUNCED, NO_FACTS, FactBook, Facts
from streams.fold import PROFILE_FOLDS
from streams.inputs import Raw
from streams.intake import Entry, read
from streams.replay import replay
from streams.rules.compiler import compile_rules
from streams.rules.errors import RuleErrors
from streams.rules.ruleset import RuleSet
from tests.core.strategies import DAY, NOW, message

ZONE = ZoneInfo("Asia/Shanghai")
SETTINGS = CoreSettings(partitions=1, time_zone=ZONE)
SLICE, FIRED = 3, 2
RULE: dict[str, Any] = {
    "id": "tell",
    "version": 1,
    "title": {"en": "Tell", "zh": "告知"},
    "kind": "care",
    "owner": "Events",
    "status": "live",
    "on": ["campaign.announced", "holiday.approaching"],
    "if": "true",
    "then": {"task": {"text": {"en": "{title_en}", "zh": "{title_zh}"}}},
}


def rules_with(**changes: Any) -> RuleSet:
    return compile_rules([RuleDefinition.model_validate({**RULE, **changes})])


MATURING = {
    **RULE,
    "id": "maturing",
    "on": ["deposit.placed"],
    "wait": {"days": 1, "before": "matures_on"},
    "then": {"task": {"text": {"en": "due {deposit}", "zh": "{deposit}"}}},
}
NAMED = {"other": "P1", "relation": "child", "reverse": True}
ALL = compile_rules([RuleDefinition.model_validate(one) for one in (RULE, MATURING)])
SOME = rules_with(**{"on": ["campaign.announced"], "if": "audience in tags"})


def campaign(name: str, at: int, days: int = 10, **other: Any) -> dict[str, Any]:
    day = from_millis(at).astimezone(ZONE).date()
    return {
        "specversion": "1.0",
        "id": f"announced-{name}-{at}",
        "source": "/bank/campaign",
        "type": "campaign.announced",
        "subject": f"campaign:{name}",
        "time": from_millis(at).isoformat(),
        "data": {
            "campaign": name,
            "category": "golf",
            "title_zh": "高尔夫",
            "title_en": name,
            "starts_on": str(day),
            "ends_on": str(day.fromordinal(day.toordinal() + days)),
            **other,
        },
    }


@dataclass
class Bank:
    """The topics of one partition."""

    book: FactBook = field(default_factory=FactBook)
    past: dict[int, Facts] = field(default_factory=lambda: {0: NO_FACTS})
    """Offset of bank.campaign → what was known up to it."""
    log: list[Raw] = field(default_factory=list)

    def announce(self, event: dict[str, Any] | None, key: str = "") -> str:
        value = None if event is None else json.dumps(event).encode()
        offset = len(self.past) - 1
        name = key or (event or {})["subject"]
        problem = self.book.take(Raw(CAMPAIGNS, 0, offset, name.encode(), value))
        self.past[offset + 1] = self.book.snapshot()
        return problem

    def event(self, customer: str, at: int) -> None:
        data = {"tag": "golf"} if len(self.log) % 2 else {"tag": "tea"}
        self._log("tag.added", customer, at, data)

    def name(self, customer: str, at: int) -> None:
        """In a relation of somebody else's."""
        self._log("relation.added", customer, at, NAMED)

    def deposit(self, customer: str, at: int, days: int) -> None:
        day = from_millis(at + days * DAY).astimezone(ZONE).date()
        money = {"principal": "1", "currency": "CNY", "base_principal": "1", "rate": "0.02"}
        data = {"deposit": f"D{len(self.log)}", "matures_on": str(day), **money}
        self._log("deposit.placed", customer, at, data)

    def _log(self, kind: str, customer: str, at: int, data: dict[str, Any]) -> None:
        offset = len(self.log)
        value = message(kind, data, at=at, customer=customer, event_id=f"{offset}")
        self.log.append(Raw("bank.core", 0, offset, customer.encode(), value))


class Runner:
    """A partition runner without Kafka: chunks are committed at once, and stored a while later."""

    def __init__(self, bank: Bank, rules: RuleSet = ALL, core: CoreSettings = SETTINGS) -> None:
        self.bank, self.rules, self.core = bank, rules, core
        self.committed: dict[str, bytes] = {}
        self.journal: list[Position] = []
        self.effects: list[Any] = []
        self.customers: set[str] = set()
        """Of whom something of their own was told."""
        self.complete: dict[str, set[str]] = {}
        """Name → who was a customer when its walk ended, or came later while it was running."""
        self.counts: Counter[str] = Counter()
        self.dues = DueList()
        self.restart()

    def restart(self) -> None:
        self.in_store = dict(self.committed)
        self.waiting: list[Outcome] = []
        self.live: dict[str, Record] = {}
        self.walking = Walking(self, self._last_broadcast)  # type: ignore[arg-type]  # of a store it needs the keys

    def keys(self, first: bytes, end: bytes) -> Iterator[bytes]:
        """As the local store has them."""
        encoded = sorted(key.encode() for key in self.in_store)
        yield from (key for key in encoded if first <= key < end)

    def _last_broadcast(self, customer: str) -> int:
        return self.load(customer).header.last_broadcast

    def load(self, customer: str) -> Record:
        return self.live.get(customer) or Record(customer, self.committed.get(customer))

    @property
    def position(self) -> Position:
        start = Range(topic_id="", start=0, end=0)
        first = Position(partition=0, number=0, ranges={"bank.core": start}, now=0, rules="")
        return self.journal[-1] if self.journal else first

    def store(self) -> None:
        for customer, record in self.waiting.pop(0).records.items():
            assert record.stored is not None
            self.in_store[customer] = self.committed[customer]

    def context(self, position: Position) -> Context:
        facts = self.bank.past[position.facts.get(CAMPAIGNS, 0)]
        return Context(position.now, self.rules, self.core, position.partition_time, facts)

    def step(self, time: int, most: int = 5) -> bool:
        """One chunk at a partition's time; false if there is nothing to do."""
        before, place = self.position, self.position.ranges["bank.core"].end
        raws = self.bank.log[place : place + most]
        facts = {CAMPAIGNS: len(self.bank.past) - 1}
        position = replace_position(before, raws, time, facts)
        context = self.context(position)
        stored = before.number - len(self.waiting)
        going = self.walking.begun(before, context)
        round_ = self.walking.round_of(going, context, stored)
        walk = walked(going, round_.upto)
        due = self.dues.take(position.partition_time, FIRED)
        if not raws and not due and walk == before.walk:
            return False
        if len(walk.queue) < len(going.queue):
            self.complete[going.queue[0]] = set(self.customers)
        there = set(self.customers)
        outcome = apply_chunk(self.entries(raws), self.load, context, due, round_)
        for customer, record in outcome.records.items():
            assert record.stored is not None
            self.committed[customer] = record.stored
            self.live[customer] = record
            self.dues.change(customer, record.header.next_due)
        self.customers |= {customer_of(raw) for raw in raws if not is_named(raw)}
        for name in self.complete.keys() & context.facts.announced.keys():
            if not is_over(context.facts.announced[name], position.partition_time, ZONE):
                self.complete[name] |= self.customers - there
        self.journal.append(structs.replace(position, walk=walk, timers=len(due)))
        self.waiting.append(outcome)
        self.effects += outcome.effects
        self.counts.update(outcome.counts)
        return True

    def entries(self, raws: Sequence[Raw]) -> list[Entry]:
        return [read(raw, self.core) for raw in raws]

    def settle(self, time: int) -> None:
        """Until nothing is to be done."""
        while self.step(time):
            while self.waiting:
                self.store()

    def told(self) -> Counter[tuple[str, str]]:
        """(customer, title) → how often."""
        tasks = [effect for effect in self.effects if isinstance(effect, Task)]
        assert len({task.id for task in tasks}) == len(tasks)
        told = [task for task in tasks if task.data.rule.id == "tell"]
        return Counter((task.subject, task.data.text["en"]) for task in told)


def customer_of(raw: Raw) -> str:
    return (raw.key or b"").decode()


def is_named(raw: Raw) -> bool:
    return json.loads(raw.value or b"{}")["data"] == NAMED


def replace_position(
    before: Position, raws: Sequence[Raw], time: int, facts: dict[str, int]
) -> Position:
    start = before.ranges["bank.core"].end
    taken = Range(topic_id="", start=start, end=start + len(raws))
    return Position(
        partition=0,
        number=before.number + 1,
        ranges={"bank.core": taken},
        now=time + 400 * DAY,
        rules="-",
        partition_time=max(time, before.partition_time),
        facts=facts,
    )


def replayed(runner: Runner) -> tuple[list[Any], dict[str, bytes]]:
    records: dict[str, bytes] = {}
    log = runner.bank.log
    outcomes = replay(
        runner.journal, lambda _t, _p, start, end: log[start:end], runner.context, records
    )
    return [effect for outcome in outcomes for effect in outcome.effects], records


@pytest.fixture(autouse=True, scope="module")
def small_slices() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walking, "WALK_SLICE", SLICE)
        patch.setattr(replaying, "MAX_FIRED", FIRED)
        yield


KINDS = ("event", "event", "name", "deposit", "step", "step", "step", "store", "say", "crash")


@settings(deadline=None, max_examples=200)
@given(st.randoms(use_true_random=False))
def test_each_customer_is_told_once_and_a_replay_agrees(chance: Random) -> None:
    bank = Bank()
    runner, time = Runner(bank), NOW
    for number in range(chance.randint(10, 60)):
        time += chance.randint(0, DAY // 4)
        match chance.choice(KINDS):
            case "event":
                bank.event(f"C{chance.randint(0, 25)}", time - chance.randint(0, DAY))
            case "name":
                bank.name(f"C{chance.randint(0, 25)}", time - chance.randint(0, DAY))
            case "deposit":
                bank.deposit(f"C{chance.randint(0, 25)}", time, chance.randint(0, 3))
            case "step" if len(runner.waiting) < 2:
                runner.step(time, chance.randint(0, 4))
            case "store" if runner.waiting:
                runner.store()
            case "say":
                bank.announce(campaign(f"N{number}", time + chance.randint(-DAY, DAY)))
            case "crash":
                runner.restart()
    while runner.waiting:
        runner.store()
    runner.settle(time + 2 * DAY)
    assert runner.position.walk.queue == []
    expected = Counter(
        (customer, name.partition(":")[2])
        for name, customers in runner.complete.items()
        for customer in customers
    )
    assert runner.told() == expected
    assert runner.counts["told"] == expected.total()
    assert len(runner.complete) == runner.position.walk.begun
    assert replayed(runner) == (runner.effects, runner.committed)


def some_customers(bank: Bank, count: int) -> None:
    for number in range(count):
        bank.event(f"C{number:02}", NOW)


def test_one_that_comes_while_it_is_under_way_is_told_after_its_events() -> None:
    bank = Bank()
    some_customers(bank, 10)
    runner = Runner(bank, SOME)
    runner.settle(NOW)
    bank.announce(campaign("tour", NOW + 1, audience="golf"))
    assert runner.step(NOW + 2, 0)
    assert runner.position.walk.after == "C02"
    bank.event("A", NOW + 3)  # before the place, with the wrong tag
    bank.event("B", NOW + 3)  # with the right one
    runner.step(NOW + 3)
    assert ("B", "tour") in runner.told()
    assert ("A", "tour") not in runner.told()
    runner.settle(NOW + 4)
    odd = {(f"C{number:02}", "tour") for number in range(1, 10, 2)}
    assert runner.told() == Counter(odd | {("B", "tour")})
    assert replayed(runner) == (runner.effects, runner.committed)


def test_who_is_only_named_by_others_is_told_once_a_customer() -> None:
    bank = Bank()
    some_customers(bank, 2 * SLICE)
    bank.name("A", NOW)
    bank.name("C03", NOW)
    bank.name("child", NOW)
    runner = Runner(bank)
    runner.settle(NOW)
    bank.announce(campaign("tour", NOW + 1))
    assert runner.step(NOW + 2, 0)
    bank.event("A", NOW + 3)  # before the place, and behind it
    bank.event("child", NOW + 3)
    bank.name("baby", NOW + 3)
    runner.settle(NOW + 4)
    customers = [f"C{number:02}" for number in range(2 * SLICE)]
    assert runner.told() == Counter((one, "tour") for one in [*customers, "A", "child"])
    bank.event("baby", NOW + 5)
    runner.settle(NOW + 6)
    assert runner.told()["baby", "tour"] == 1
    assert replayed(runner) == (runner.effects, runner.committed)


def test_one_that_comes_after_the_walk_is_told_as_long_as_it_is_running() -> None:
    bank = Bank()
    some_customers(bank, 2 * SLICE)
    runner = Runner(bank)
    runner.settle(NOW)
    bank.announce(campaign("tour", NOW + 1, days=10))
    runner.settle(NOW + 2)
    assert runner.position.walk.queue == []
    bank.event("A", NOW + 5 * DAY)
    bank.event("A", NOW + 5 * DAY + 1)
    bank.event("C01", NOW + 5 * DAY)
    runner.settle(NOW + 5 * DAY + 2)
    bank.announce(None, "campaign:tour")
    bank.event("B", NOW + 6 * DAY)
    runner.settle(NOW + 6 * DAY)
    bank.announce(campaign("fair", NOW + 6 * DAY + 1, days=1))
    runner.settle(NOW + 6 * DAY + 2)
    bank.event("C", NOW + 9 * DAY)
    runner.settle(NOW + 9 * DAY)
    late = {one: times for one, times in runner.told().items() if not one[0].startswith("C0")}
    assert late == {("A", "tour"): 1, ("A", "fair"): 1, ("B", "fair"): 1}
    [task] = [one for one in runner.effects if isinstance(one, Task) and one.subject == "A"][:1]
    assert to_millis(task.time) == NOW + 5 * DAY + 1, "what is to be done is due from then on"
    assert task.data.cause.id == f"announced-tour-{NOW + 1}"
    assert replayed(runner) == (runner.effects, runner.committed)


class Changing(Runner):
    """Its rules are others after a position."""

    changed = 2**31

    def context(self, position: Position) -> Context:
        rules = ALL if position.number > self.changed else SOME
        return replace(super().context(position), rules=rules)


def test_it_finds_the_dates_of_who_is_not_heard_of_since_rules_changed() -> None:
    bank = Bank()
    bank.deposit("C1", NOW, 5)
    bank.event("C2", NOW)
    runner = Changing(bank)
    runner.settle(NOW)
    runner.changed = runner.position.number
    bank.announce(campaign("tour", NOW + DAY))
    runner.settle(NOW + 2 * DAY)
    assert len(runner.told()) == 2
    assert runner.load("C1").activity.timers.keys() == {"maturing:D0"}
    assert not runner.load("C2").activity.timers
    runner.settle(NOW + 6 * DAY)
    (due,) = (one for one in runner.effects if isinstance(one, Task) and one.data.waited_until)
    assert (due.subject, due.data.text["en"]) == ("C1", "due D0")
    assert due.data.cause.type == "campaign.announced"
    assert replayed(runner) == (runner.effects, runner.committed)


def test_who_has_an_event_meanwhile_is_told_before_it() -> None:
    bank = Bank()
    for number in range(10):
        bank.event(f"C{number:02}", NOW)
        bank.event("X", NOW)
    runner = Runner(bank, SOME)
    runner.settle(NOW)
    bank.announce(campaign("tour", NOW + 1, audience="late"))
    bank._log("tag.added", "C00", NOW + 2, {"tag": "late"})
    assert runner.step(NOW + 2, 1)
    for customer in ("C01", "C08"):  # the walk has passed the one, and comes to the other
        bank._log("tag.added", customer, NOW + 3, {"tag": "late"})
    runner.settle(NOW + 4)
    assert not runner.told()
    assert runner.counts["told"] == 11
    assert replayed(runner) == (runner.effects, runner.committed)


def test_an_oversize_effect_takes_nothing_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects_module, "MAX_EFFECT_BYTES", 3_000)
    text = dict.fromkeys(["en", "zh"], "高" * 500)
    loud = {**RULE, "id": "loud", "then": {"task": {"title": text, "text": text}}}
    rules = compile_rules([RuleDefinition.model_validate(one) for one in (loud, RULE)])
    bank = Bank()
    some_customers(bank, 10)
    runner = Runner(bank, rules)
    runner.settle(NOW)
    bank.announce(campaign("tour", NOW + 1))
    runner.settle(NOW + 2)
    customers = len(runner.committed)
    assert len(runner.told()) == customers
    assert runner.counts["rule_failures:loud"] == runner.counts["fired:tell"] == customers
    assert replayed(runner) == (runner.effects, runner.committed)


def test_a_fold_that_fails_leaves_what_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    bank = Bank()
    some_customers(bank, 10)
    runner = Runner(bank)
    runner.settle(NOW)
    bank.announce(campaign("tour", NOW + 1))
    assert runner.step(NOW + 2, 0)
    bank._log("tag.removed", "C08", NOW + 3, {"tag": "tea"})
    bank.event("C08", NOW + 4)

    def fails(*_: object) -> None:
        raise KeyError

    monkeypatch.setitem(PROFILE_FOLDS, "tag.removed", fails)
    assert runner.step(NOW + 5, 2)
    assert runner.counts["dead:failed"] == 1
    header = Record("C08", runner.committed["C08"]).header
    assert (header.last_broadcast, header.sequence) == (1, 3), "an event, a broadcast, an event"
    runner.settle(NOW + 6)
    assert set(runner.told().values()) == {1}
    assert replayed(runner) == (runner.effects, runner.committed)


def test_who_is_not_moved_is_not_written() -> None:
    bank = Bank()
    some_customers(bank, 10)
    runner = Runner(bank, SOME)
    runner.settle(NOW)
    before = dict(runner.committed)
    bank.announce(campaign("tour", NOW + 1, audience="golf"))
    runner.settle(NOW + 2)
    changed = {name for name, stored in runner.committed.items() if stored != before[name]}
    assert changed == {f"C{number:02}" for number in range(1, 10, 2)}


def test_an_empty_partition_and_one_without_a_rule_that_listens() -> None:
    bank = Bank()
    bank.announce(campaign("tour", NOW))
    runner = Runner(bank)
    assert runner.step(NOW + 1)
    assert runner.position.walk == Walk(begun=1)
    assert not runner.step(NOW + 2)
    nobody = Runner(bank, rules_with(on=["tag.added"], then=RULE["then"] | {
        "task": {"text": {"en": "{tag}", "zh": "{tag}"}}
    }))  # fmt: skip
    assert not nobody.step(NOW + 1)
    assert not listens(nobody.context(nobody.position))


def test_what_is_over_is_told_nobody_and_what_lies_ahead_waits() -> None:
    bank = Bank()
    some_customers(bank, 2)
    runner = Runner(bank)
    runner.settle(NOW - 30 * DAY)
    bank.announce(campaign("over", NOW - 20 * DAY))
    bank.announce(campaign("old", NOW - 9 * DAY))
    bank.announce(campaign("ahead", NOW + DAY))
    runner.settle(NOW)
    assert {title for _, title in runner.told()} == {"old"}
    runner.settle(NOW + DAY - 1)
    assert {title for _, title in runner.told()} == {"old"}
    runner.settle(NOW + DAY)
    assert {title for _, title in runner.told()} == {"old", "ahead"}


def test_what_is_said_again_corrects_and_what_is_taken_back_ends() -> None:
    bank = Bank()
    some_customers(bank, 2 * SLICE)
    runner = Runner(bank)
    runner.settle(NOW)
    bank.announce(campaign("tour", NOW + 1))
    assert runner.step(NOW + 2)
    bank.announce(campaign("tour", NOW + 3, title_en="tour, corrected"))
    bank.announce(campaign("gone", NOW + 3))
    runner.settle(NOW + 4)
    titles = Counter(title for _, title in runner.told())
    assert titles == {"tour": SLICE, "tour, corrected": SLICE, "gone": 2 * SLICE}
    bank.announce(campaign("half", NOW + 5))
    assert runner.step(NOW + 6)
    bank.announce(None, "campaign:half")
    runner.settle(NOW + 7)
    assert Counter(title for _, title in runner.told())["half"] == SLICE
    assert runner.position.walk == Walk(begun=3)
    bank.announce(campaign("tour", NOW + 32 * DAY, title_en="next year's"))
    runner.settle(NOW + 33 * DAY)
    assert Counter(title for _, title in runner.told())["next year's"] == 2 * SLICE
    assert replayed(runner) == (runner.effects, runner.committed)


def test_holidays_of_the_calendar() -> None:
    calendar = Calendar(read_calendar())
    core = replace(SETTINGS, holidays=holidays_ahead(calendar, 5, ZONE))
    told = {one.name: one for one in core.holidays}
    festival = told["holiday:2026-02-17-spring-festival"]
    when = from_millis(festival.at).astimezone(ZONE)
    assert f"{when:%Y-%m-%d %H:%M}" == "2026-02-10 09:00", "the 14th, a Saturday, is worked"
    bank = Bank()
    bank.event("C1", festival.at - DAY)
    runner = Runner(bank, ALL, core)
    runner.settle(festival.at - 1)
    assert not runner.told()
    runner.settle(festival.at)
    [task] = [effect for effect in runner.effects if isinstance(effect, Task)]
    assert task.data.text == {"en": "Spring Festival", "zh": "春节"}
    assert task.data.cause.topic == ""
    assert to_millis(task.time) == festival.at
    runner.settle(festival.at + 30 * DAY)
    assert len(runner.told()) == 1
    assert replayed(runner) == (runner.effects, runner.committed)


def test_a_new_partition_is_told_of_no_holiday_that_is_over() -> None:
    holidays = holidays_ahead(Calendar(read_calendar()), 5, ZONE)
    core = replace(SETTINGS, holidays=holidays)
    at = to_millis(from_millis(NOW).replace(year=2026, month=2, day=20))
    context = Context(at, ALL, core, at)
    walk = begin(Walk(), -1, 0, context)
    assert walk.queue == ["holiday:2026-02-17-spring-festival"], "it goes on until the 23rd"


def test_a_rule_on_a_broadcast_neither_waits_nor_counts_it() -> None:
    with pytest.raises(RuleErrors, match="told to every customer at once: no rule waits"):
        rules_with(wait={"for": "1h", "without": "logged.in"})
    with pytest.raises(RuleErrors, match="at once: it is not counted"):
        rules_with(**{"if": "count(campaign.announced, 30d) > 1"})


def test_too_many_campaigns() -> None:
    bank = Bank()
    for number in range(MAX_ANNOUNCED):
        assert bank.announce(campaign(f"N{number}", NOW)) == ""
    assert "more than 1,000 campaigns" in bank.announce(campaign("more", NOW))
    assert bank.announce(campaign("N1", NOW + 1)) == ""
    bank.announce(None, "campaign:N1")
    assert bank.announce(campaign("more", NOW)) == ""


def test_names_of_the_calendar_are_each_their_own() -> None:
    found: list[Announced] = list(holidays_ahead(Calendar(read_calendar()), 5, ZONE))
    assert len({one.name for one in found}) == len(found)
