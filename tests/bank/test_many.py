"""A million customers: the bank begins soon, stays within its memory, and keeps its rate."""

from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest

from agents.bank import simulation
from agents.bank.persona import customer_id
from agents.bank.plan import Plan
from agents.bank.population import Population
from agents.bank.simulation import messages
from schemas.decode import type_of
from tests.bank.test_simulation import PLAN, told
from tests.bench.parts.bank_rate import CASES, rate_of

MILLION = replace(PLAN, customers=1_000_000, history_days=0, rate=5_000.0)


@pytest.mark.slow
def test_a_million_customers_begin_soon_and_take_little_memory() -> None:
    found = rate_of(CASES["million"], 120_000)
    assert found.first_s < 20, found
    assert found.peak_mb < 400, found
    assert found.events_per_second > 5_000, found


def test_stories_under_way_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A payment is booked after a day or so. In a bank that is in a great hurry that is within the
    minute, or else what waits to be booked would fill the memory."""
    monkeypatch.setattr(simulation, "_UNDER_WAY", 300)
    types: Counter[str] = Counter()
    for message in told(replace(PLAN, history_days=0, rate=800.0, pace=600.0)):
        if message.at >= PLAN.origin + 30_000 * 600:
            types[type_of(message.value) or ""] += 1
    assert types["card.authorised"] > 300
    assert types["card.settled"] == pytest.approx(types["card.authorised"], rel=0.15)


@pytest.mark.slow
def test_a_million_customers_do_what_customers_do() -> None:
    types: Counter[str] = Counter()
    for message in islice(messages(MILLION), 100_000, 125_000):
        types[type_of(message.value) or ""] += 1
    assert types["customer.updated"] < 0.4 * types.total(), "newcomers, by name"
    assert types["card.authorised"] > 0.01 * types.total()
    assert types.keys() > {"logged.in", "page.viewed", "transfer.completed", "call.received"}


def _customers(plan: Plan, count: int) -> "Counter[bytes]":
    return Counter(message.key for message in islice(messages(plan), 10_000, 10_000 + count))


def test_skew_is_as_asked() -> None:
    plan = replace(PLAN, customers=500, history_days=200)
    alike, usual, strong = (
        _customers(replace(plan, skew=skew), 20_000).most_common(50) for skew in (0.0, 1.0, 2.0)
    )
    shares = [sum(count for _, count in one) / 20_000 for one in (alike, usual, strong)]
    assert shares[0] < 0.2
    assert 0.3 < shares[1] < shares[2]


@pytest.mark.parametrize("count", [1, 300, 900_000, 1_000_000])
def test_ids_are_unique_and_a_persona_is_the_same_whenever_it_is_asked_for(count: int) -> None:
    population, again = Population(5, count), Population(5, count)
    ranks = {0, count - 1, count // 2}
    for rank in sorted(ranks, reverse=True):
        again.customer(rank)
    for rank in ranks:
        assert population.customer(rank).who == again.customer(rank).who
        assert population.customer(rank).id == customer_id(rank, count)
    if count <= 900_000:
        assert len({customer_id(rank, count) for rank in range(min(count, 50_000))}) == min(
            count, 50_000
        )
