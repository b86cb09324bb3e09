"""The simulated bank: the same bytes from the same seed, every type, and rules that fire."""

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime
from itertools import takewhile
from typing import Any

import pytest

from agents.bank.casting import cast
from agents.bank.facts import facts, facts_of
from agents.bank.message import Message
from agents.bank.persona import customer_id
from agents.bank.plan import Plan
from agents.bank.simulation import messages
from config.load_attributes import read_attributes
from config.settings import MAX_HISTORY_DAYS, BankSettings
from schemas.effects import Profile
from schemas.events import EVENT_TYPES
from schemas.events.campaign import BROADCAST_TYPES
from schemas.events.reference import FACT_TYPES
from schemas.record import Record
from streams.attributes import Attributes
from streams.chunk import Outcome, apply_chunk
from streams.context import Context
from streams.due import DueList
from streams.inputs import Raw
from streams.intake import read
from tests.shipped import PLAIN, shipped_rules
from tests.values import listed_values

PLAN = Plan(
    origin=1_767_575_400_000,
    seed=7,
    customers=300,
    history_days=BankSettings().history_days,
    rate=50.0,
    pace=1.0,
    duplicates=0.01,
    late=0.005,
    broken=0.002,
    mis_keyed=0.001,
)
SMALL = replace(PLAN, customers=40, history_days=20)
CORE = replace(PLAIN, attributes=Attributes(read_attributes()))
FACTS = facts_of(PLAN)


def told(plan: Plan, seconds: float = 60) -> list[Message]:
    end = plan.origin + seconds * 1_000 * plan.pace
    return list(takewhile(lambda message: message.at < end, messages(plan)))


def apply(said: list[Message]) -> Outcome:
    """What the core makes of the messages, one chunk after the other, and of timers in the end."""
    rules = CORE.compiled(shipped_rules())
    records: dict[str, Record] = {}
    dues = DueList()
    whole = Outcome()
    for start in range(0, len(said) + 500, 500):
        chunk = said[start : start + 500]
        now = said[min(start + 499, len(said) - 1)].at
        time = said[min(start, len(said) - 1)].at
        entries = [read(Raw(m.topic, 0, n, m.key, m.value), CORE) for n, m in enumerate(chunk)]
        outcome = apply_chunk(
            entries,
            lambda customer: records.setdefault(customer, Record(customer)),
            Context(now=now, rules=rules, settings=CORE, partition_time=time, facts=FACTS),
            dues.take(time, len(records)),
        )
        for customer, (_, due) in outcome.dues.items():
            dues.change(customer, due)
        records.update(outcome.records)
        whole.effects += outcome.effects
        whole.dead_letters += outcome.dead_letters
        whole.counts += outcome.counts
    return whole


@pytest.fixture(scope="module")
def said() -> list[Message]:
    return told(PLAN)


@pytest.fixture(scope="module")
def events(said: list[Message]) -> list[Any]:
    """What a worker reads as events, without the broken messages."""
    return [json.loads(message.value) for message in said if is_event(message)]


@pytest.fixture(scope="module")
def outcome(said: list[Message]) -> Outcome:
    return apply(said)


@pytest.mark.parametrize("seed", [1, 7])
def test_the_same_plan_gives_the_same_messages(seed: int) -> None:
    plan = replace(SMALL, seed=seed)
    assert told(plan, 5) == told(plan, 5)


def test_another_plan_shares_no_event(said: list[Message]) -> None:
    ids = {json.loads(m.value)["id"] for m in told(SMALL, 5) if is_event(m)}
    for other in (replace(SMALL, seed=8), replace(SMALL, origin=SMALL.origin + 1)):
        assert not ids & {json.loads(m.value)["id"] for m in told(other, 5) if is_event(m)}


def test_messages_come_in_order_and_live_at_the_rate(said: list[Message]) -> None:
    assert said == sorted(said, key=lambda message: message.at)
    live = sum(message.at >= PLAN.origin for message in said)
    assert live == pytest.approx(60 * PLAN.rate, rel=0.15)
    assert said[0].at < PLAN.start, "customers are known before their history starts"


@pytest.mark.parametrize("pace", [0.5, 60.0, 1440.0])
def test_the_rate_is_in_real_time_whatever_the_clock(pace: float) -> None:
    plan = replace(SMALL, pace=pace, rate=20)
    live = sum(message.at >= plan.origin for message in told(plan))
    assert live == pytest.approx(60 * plan.rate, rel=0.15)


def test_every_type_appears_and_activity_is_skewed(said: list[Message], events: list[Any]) -> None:
    assert {event["type"] for event in events} >= EVENT_TYPES.keys()
    by_customer = Counter(message.key for message in said)
    assert len(by_customer) >= PLAN.customers
    busiest = sum(count for _, count in by_customer.most_common(PLAN.customers // 10))
    assert busiest > len(said) / 4, "a tenth of the customers does more than a quarter"


def test_every_rule_fires_most_of_them_in_the_first_live_minute(outcome: Outcome) -> None:
    first = PLAN.origin / 1_000
    fired = [effect for effect in outcome.effects if not isinstance(effect, Profile)]
    live = Counter(one.data.rule.id for one in fired if one.time.timestamp() >= first)
    # This bank has no rounds for what all are told.
    rules = {rule.id for rule in shipped_rules() if not BROADCAST_TYPES.keys() & {*rule.on}}
    assert {one.data.rule.id for one in fired} == rules
    assert rules - live.keys() <= _SLOW
    assert min(live.values()) >= 1


_DATES = {
    "anniversary", "anniversary-ahead", "birthday-ahead", "birthday-today", "child-turns-eighteen",
    "jubilee",
}  # fmt: skip
_SLOW = _DATES | {
    "gives-up-three-times", "large-deposit-maturing", "large-product-due", "mortgage-rate-gap",
    "salary-missing", "spending-turns-to-baby",
}  # fmt: skip
"""They wait for half an hour, a month or a day, or it has come to their head before. The demo's
clock is faster: tests/stack/test_demo_clock.py has them all in its first minute."""
_OF_ALL = _DATES | {
    "asked-then-visits", "card-declined-abroad", "complaint-raised", "suggestion-made",
}  # fmt: skip
"""What ordinary customers cause as well."""


def test_ordinary_customers_rarely_make_a_rule_fire(outcome: Outcome) -> None:
    players = {customer_id(one.rank, PLAN.customers) for one in cast(PLAN)}
    fired = [effect for effect in outcome.effects if not isinstance(effect, Profile)]
    ordinary = {one.subject for one in fired if one.data.rule.id not in _OF_ALL} - players
    assert len(ordinary) < (PLAN.customers - len(players)) / 8


@pytest.mark.parametrize("last_day", ["2026-02-28", "2026-11-30"])
def test_the_usual_history_is_long_enough_for_regular_inflows(last_day: str) -> None:
    """Three whole months lie in it on any day; the last of a month is the hardest."""
    origin = int(datetime.fromisoformat(f"{last_day}T12:00:00+08:00").timestamp() * 1_000)
    plan = replace(PLAN, customers=100, origin=origin, history_days=BankSettings().history_days)
    last: dict[str, Profile] = {}
    for effect in apply(told(plan, 5)).effects:
        if isinstance(effect, Profile):
            last[effect.subject] = effect
    assert sum(one.data.regular_inflows for one in last.values()) > plan.customers / 3


def test_nobody_acts_before_becoming_a_customer() -> None:
    """However long the history is."""
    opened: dict[str, str] = {}
    plan = replace(SMALL, history_days=MAX_HISTORY_DAYS, late=0.05, broken=0.0)
    for message in told(plan, 0):
        event = json.loads(message.value)
        data = event["data"]
        opened.setdefault(event["subject"], data.get("opened_on", "never"))
        assert opened[event["subject"]] < event["time"][:10], event
        if "birthday" in data:
            assert int(data["opened_on"][:4]) - int(data["birthday"][:4]) >= 18
    assert len(opened) == SMALL.customers


@pytest.mark.parametrize("customers", [1, 3])
@pytest.mark.parametrize("days", [0, 1])
def test_a_tiny_bank_lives_too(customers: int, days: int) -> None:
    said = told(replace(PLAN, customers=customers, history_days=days))
    counts = apply(said).counts
    assert counts["applied"] > 1_000
    assert not counts["undeclared"], "every attribute that it tells is declared"


def test_the_values_that_it_tells_are_listed_for_those_who_write_rules(events: list[Any]) -> None:
    told = {
        event["data"][field]
        for event in events
        for field in _VALUES.get(event["type"], ())
        if event["data"].get(field)
    }
    assert told - listed_values() == set()
    assert len(told) > 70


_VALUES = {
    "customer.updated": ("tier", "language"), "tag.added": ("tag",),
    "interest.recorded": ("interest",), "page.viewed": ("page_topic",),
    "transfer.completed": ("purpose",), "benefit.used": ("benefit",),
    "product.purchased": ("product_class",), "loan.drawn": ("kind",),
    "card.authorised": ("category",), "card.declined": ("reason",), "journey.started": ("journey",),
}  # fmt: skip


def is_event(message: Message) -> bool:
    return read(Raw(message.topic, 0, 0, message.key, message.value), CORE).input is not None


def test_the_bank_tells_every_kind_of_fact_before_its_first_event(said: list[Message]) -> None:
    held = FACTS.kinds
    assert held.keys() == {fact.kind() for fact in FACT_TYPES.values()} - {"holiday"}
    told = FACTS.announced.values()
    assert all(one.at > PLAN.origin for one in told), "the customers are known by then"
    assert all(one.last_day > one.data.starts_on for one in told if one.data.category == "golf")
    assert all(one.at <= said[0].at or one.at <= PLAN.start for one in facts(PLAN))
    for rm in held["rm"].values():
        assert rm.team in held["team"]
        assert rm.branch in held["branch"]
        assert rm.deputy is None or rm.deputy in held["rm"]


def test_what_is_in_another_currency_is_reckoned(events: list[Any], outcome: Outcome) -> None:
    base = {"base_amount", "base_balance"}
    at_home: list[Any] = []
    foreign: list[Any] = []
    for one in events:
        (at_home if one["data"].get("currency", "CNY") == "CNY" else foreign).append(one)
    assert {one["type"] for one in foreign} >= {
        "transfer.completed",
        "card.authorised",
        "balance.reported",
    }
    assert not [one for one in foreign if base & one["data"].keys()]
    sent = [one["data"] for one in at_home if one["type"] == "transfer.completed"]
    assert sent
    assert all(one["base_amount"] == one["amount"] for one in sent)
    assert outcome.counts["dead:no_base_amount"] == 0
