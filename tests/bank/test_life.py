"""Lives: families agree, money comes on paydays, the year and a journey show in the payments."""

import json
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import takewhile
from typing import Any

import pytest

from agents.bank.calendar import (
    date_of,
    is_day_off,
    number_of,
    office_opens,
    season_of,
    start_of,
    worked_day_near,
)
from agents.bank.casting import cast
from agents.bank.companies import company
from agents.bank.merchants import CATEGORIES
from agents.bank.persona import customer_id
from agents.bank.population import Population
from agents.bank.simulation import messages
from agents.bank.stories.story import OFFICE_EVENTS
from agents.bank.storyline_file import shipped_storylines
from schemas.decode import decode_event
from schemas.envelope import from_millis
from tests.bank.test_simulation import PLAN

AFTER_A_YEAR = datetime(2026, 3, 10, 2, tzinfo=UTC)
YEAR = replace(
    PLAN, origin=int(AFTER_A_YEAR.timestamp() * 1_000), customers=120, history_days=400,
    duplicates=0.0, late=0.0, broken=0.0, mis_keyed=0.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def year() -> list[Any]:
    """Thirteen months of a small bank, as plain data; each event is valid."""
    said = takewhile(lambda message: message.at < YEAR.origin, messages(YEAR))
    events = []
    for message in said:
        decode_event(message.value)
        events.append(json.loads(message.value))
    return events


def day_of(event: Any) -> date:
    at = datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
    return date_of((int(at.timestamp()) + 8 * 3_600) // 86_400)


def test_the_calendar_knows_the_year() -> None:
    def season(day: str) -> str:
        return season_of(number_of(date.fromisoformat(day)))

    assert season("2026-02-17") == "new year"
    assert season("2026-02-05") == "before new year"
    assert season("2026-10-03") == "national day"
    assert season("2025-11-11") == "singles day"
    assert season("2026-09-01") == "back to school"
    assert season("2026-03-20") == "ordinary"
    assert is_day_off(number_of(date(2026, 2, 18)))
    assert is_day_off(number_of(date(2026, 10, 1)))
    assert not is_day_off(number_of(date(2026, 3, 20)))
    assert start_of(number_of(date(2026, 3, 20))) % 86_400_000 == 16 * 3_600_000


def test_salaries_come_once_a_month_on_the_payday_of_the_company(year: list[Any]) -> None:
    population = Population(YEAR.seed, YEAR.customers, today=YEAR.origin)
    by_id = {population.customer(rank).id: population.customer(rank).who for rank in range(120)}
    played = {customer_id(one.rank, 120) for one in cast(YEAR)
              if one.storyline.id == "about-to-leave"}  # fmt: skip
    paid: dict[str, Counter[tuple[int, int]]] = defaultdict(Counter)
    days: dict[tuple[int, int, int], set[int]] = defaultdict(set)
    for event in year:
        if event["type"] == "transfer.completed" and event["data"]["purpose"] == "salary":
            day = day_of(event)
            paid[event["subject"]][day.year, day.month] += 1
            who = by_id[event["subject"]]
            if who.id not in played:
                days[who.company.number, day.year, day.month].add(day.day)
                wanted = date(day.year, day.month, who.company.payday)
                assert not is_day_off(number_of(day))
                assert day == wanted or is_day_off(number_of(wanted))
    assert len(paid) > 40
    ordinary = [one for customer, one in paid.items() if customer not in played]
    assert {count for one in ordinary for count in one.values()} == {1}
    assert {len(one) for one in days.values()} == {1}, "all of a company on one day"
    months = {customer: len(one) for customer, one in paid.items() if customer not in played}
    assert min(months.values()) >= 12, "every month, however rarely somebody does something"
    assert company(YEAR.seed, 3) == company(YEAR.seed, 3)


def test_a_payday_that_is_no_working_day_moves_within_its_month() -> None:
    def near(day: str) -> str:
        return worked_day_near(date.fromisoformat(day)).isoformat()

    assert near("2026-01-09") == "2026-01-09"
    assert near("2026-01-10") == near("2026-01-11") == "2026-01-09"
    assert near("2026-02-20") == "2026-02-13"  # the New Year, from its eve on
    assert near("2026-10-05") == "2026-10-08"  # the National Day's week begins the month
    assert near("2026-05-03") == "2026-05-06"


def test_spouses_know_each_other_and_children_are_of_both() -> None:
    population = Population(11, 400)
    couples = 0
    for rank in range(0, 400, 2):
        one, other = population.customer(rank).who, population.customer(rank + 1).who
        assert (one.spouse is None) == (other.spouse is None)
        if one.spouse is not None:
            couples += 1
            assert (one.spouse, other.spouse) == (other.id, one.id)
            assert (one.partner, other.partner) == (other.name.shown, one.name.shown)
            assert one.children == other.children
            assert one.branch == other.branch
    assert 30 < couples < 90


def test_payments_abroad_and_spending_follow_the_season(year: list[Any]) -> None:
    abroad: Counter[str] = Counter()
    paid: Counter[str] = Counter()
    schools: Counter[str] = Counter()
    for event in year:
        if event["type"] == "card.authorised":
            season = season_of(number_of(day_of(event)))
            paid[season] += 1
            abroad[season] += event["data"]["country"] != "CN"
            schools[season] += event["data"]["category"] == "8211"
    share = {season: abroad[season] / count for season, count in paid.items() if count > 60}
    assert share["national day"] > 2 * share["ordinary"]
    assert share["new year"] > 2 * share["ordinary"]
    assert schools["back to school"] / paid["back to school"] > 2 * (
        schools["ordinary"] / paid["ordinary"]
    )


def test_merchants_fit_their_category_and_country(year: list[Any]) -> None:
    by_code = {one.code: one for one in CATEGORIES}
    for event in year:
        if event["type"] == "card.authorised":
            data = event["data"]
            category = by_code[data["category"]]
            assert data["merchant"] in category.merchants(data["country"])
            assert data["presence"] == "present" or category.code != "5541"
            assert (data["country"] == "CN") == (data["currency"] == "CNY")


def test_the_banks_people_work_in_office_hours(year: list[Any]) -> None:
    at_work = Counter[str]()
    all_of_them = Counter[str]()
    for event in year:
        if event["type"] in OFFICE_EVENTS:
            at = round(datetime.fromisoformat(event["time"]).timestamp() * 1_000)
            all_of_them[event["type"]] += 1
            at_work[event["type"]] += office_opens(at) == at
    assert all_of_them.keys() == OFFICE_EVENTS
    assert at_work.total() > 0.97 * all_of_them.total(), all_of_them - at_work


def test_offices_open_on_the_next_workday() -> None:
    def opens(at: str) -> str:
        instant = round(datetime.fromisoformat(f"{at}:00+08:00").timestamp() * 1_000)
        return f"{from_millis(office_opens(instant) + 8 * 3_600_000):%Y-%m-%dT%H:%M}"

    assert opens("2026-01-05T09:00") == "2026-01-05T09:00"
    assert opens("2026-01-05T08:59") == "2026-01-05T09:00"
    assert opens("2026-01-09T18:00") == "2026-01-12T09:00"
    assert opens("2026-09-30T20:00") == "2026-10-08T09:00"


def test_segments_follow_occupations(year: list[Any]) -> None:
    for event in year:
        data = event["data"]
        if event["type"] == "customer.updated" and "tier" in data:
            owns = data["occupation"] in ("entrepreneur", "investor")
            assert (data["attributes"]["segment"] == "founder") == owns
            assert data["occupation"] != "retired" or data["attributes"]["segment"] == "family"


def test_a_day_has_the_shares_of_a_real_bank(year: list[Any]) -> None:
    types = Counter(event["type"] for event in year)
    share = {name: count / len(year) for name, count in types.items()}
    cards = share["card.authorised"] + share["card.settled"]
    app = share["logged.in"] + share["page.viewed"]
    assert 0.15 < cards < 0.45
    assert 0.25 < app < 0.55
    assert 0.06 < share["transfer.completed"] < 0.2
    assert share["complaint.raised"] < 0.01


def test_live_nobody_logs_in_again_and_again() -> None:
    """However few customers there are for the rate."""
    plan = replace(
        YEAR, customers=100, history_days=2, rate=50.0, storylines=shipped_storylines()[:1]
    )
    end = plan.origin + 120_000
    logins: dict[str, list[int]] = defaultdict(list)
    events: Counter[str] = Counter()
    played = {customer_id(one.rank, 100) for one in cast(plan)}
    for message in takewhile(lambda one: one.at < end, messages(plan)):
        event = json.loads(message.value)
        if message.at >= plan.origin and event["subject"] not in played:
            events[event["subject"]] += 1
            if event["type"] == "logged.in":
                logins[event["subject"]].append(message.at)
    assert len(events) > 60
    assert max(events.values()) < 3 * events.total() / len(events)
    assert {len(one) for one in logins.values()} == {1}
