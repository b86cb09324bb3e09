"""Money: a balance is what has been told to move it, and everything that costs money moves some."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import takewhile
from typing import Any

import pytest

from agents.bank.calendar import date_of, day_number
from agents.bank.catalogue import interest_rates
from agents.bank.money import RATES
from agents.bank.simulation import messages
from schemas.decode import decode_event
from tests.bank.test_life import day_of
from tests.bank.test_simulation import PLAN

GOOD = replace(PLAN, duplicates=0.0, late=0.0, broken=0.0, mis_keyed=0.0)
"""Nothing goes wrong, so that what is told is all there is."""
SEASON = replace(GOOD, customers=260, history_days=150)

_SIGN = {
    "transfer.completed": 1, "transfer.reversed": -1, "deposit.placed": -1,
    "deposit.redeemed": 1, "product.purchased": -1, "product.redeemed": 1, "loan.drawn": 1,
    "loan.repaid": -1,
}  # fmt: skip


@pytest.fixture(scope="module")
def season() -> list[Any]:
    """Five months of a small bank and its first live minute, in the order in which it is told."""
    said = takewhile(lambda one: one.at < SEASON.origin + 60_000, messages(SEASON))
    events = []
    for message in said:
        decode_event(message.value)
        events.append(json.loads(message.value))
    return events


def by_customer(events: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for event in events:
        found[event["subject"]].append(event)
    return iter(found.items())


def flow(event: Any) -> tuple[str, Decimal] | None:
    """The account that an event moves money on, and how much, in the account's currency."""
    sign = _SIGN.get(event["type"])
    if sign is None:
        return None
    data, number = event["data"], event["subject"][1:]
    sign = -sign if data.get("direction") == "out" else sign
    account = data.get("account", f"A{number}-1")
    amount = Decimal(data["principal" if event["type"] == "deposit.placed" else "amount"])
    if account == f"A{number}-1":
        amount = in_base(amount, data["currency"])
    return account, sign * amount


def in_base(amount: Decimal, currency: str) -> Decimal:
    return round(amount * RATES[currency] / 100, 2)


def test_a_balance_is_the_one_before_and_what_has_moved_since(season: list[Any]) -> None:
    compared = Counter[str]()
    for customer, events in by_customer(season):
        known: dict[str, Decimal] = {}
        for event in events:
            if event["type"] == "balance.reported":
                account, told = event["data"]["account"], Decimal(event["data"]["balance"])
                assert known.get(account, told) == told, (customer, event)
                known[account] = told
                compared[account.rpartition("-")[2]] += 1
            elif (moved := flow(event)) and moved[0] in known:
                known[moved[0]] += moved[1]
    assert compared["1"] > 1_000
    assert compared["2"] > 200, "foreign accounts report, too"


def test_accounts_are_rarely_overdrawn(season: list[Any]) -> None:
    told = [e["data"] for e in season if e["type"] == "balance.reported"]
    overdrawn = [data for data in told if data["balance"].startswith("-")]
    assert len(overdrawn) < len(told) / 50


def test_deposits_and_loans_bear_the_rates_that_the_bank_tells(season: list[Any]) -> None:
    told = {one["interest_rate"]: one["rate"] for one in interest_rates()}
    by_term = {7: "call", 30: "1m", 90: "3m", 180: "6m"}
    terms = Counter[int]()
    for event in season:
        data = event["data"]
        if event["type"] == "deposit.placed" and Decimal(data["principal"]) < 900_000:
            days = (date.fromisoformat(data["matures_on"]) - day_of(event)).days
            if days in by_term:
                terms[days] += 1
                assert data["rate"] == told[f"deposit-{by_term[days]}"]
        elif event["type"] == "loan.drawn" and data["kind"] != "mortgage":
            assert data["rate"] == told[f"{data['kind']}-loan"]
    assert terms.keys() == by_term.keys()


@pytest.mark.parametrize("days", [0, 40, 150])
def test_deposits_are_renewed_and_redeemed_when_they_mature(days: int) -> None:
    """However short the history is into which a storyline has to fit."""
    plan = replace(SEASON, history_days=days)
    matures: dict[str, date] = {}
    renewed = 0
    for message in takewhile(lambda one: one.at < plan.origin + 60_000, messages(plan)):
        event = json.loads(message.value)
        data = event["data"]
        if event["type"] in ("deposit.placed", "deposit.renewed"):
            until = date.fromisoformat(data["matures_on"])
            if event["type"] == "deposit.renewed":
                renewed += 1
                assert abs((day_of(event) - matures[data["deposit"]]).days) <= 1, event
                assert until > matures[data["deposit"]]
            matures[data["deposit"]] = until
        elif event["type"] == "deposit.redeemed":
            due = matures.pop(data["deposit"])
            assert data["early"] or due <= day_of(event) <= due + timedelta(3)
    today = date_of(day_number(plan.origin))
    assert renewed
    assert not [due for due in matures.values() if due < today - timedelta(3)]


def test_a_statement_bills_what_the_card_has_paid_since_the_last_one(season: list[Any]) -> None:
    billed = 0
    for customer, events in by_customer(season):
        owed = Decimal(0)
        for event in events:
            data = event["data"]
            if event["type"] in ("card.authorised", "card.reversed"):
                paid = in_base(Decimal(data["amount"]), data["currency"])
                owed += paid if event["type"] == "card.authorised" else -paid
            elif event["type"] == "statement.issued":
                assert Decimal(data["amount_due"]) == owed > 0, (customer, event)
                owed = Decimal(0)
                billed += 1
    assert billed > 300
