"""The portrait as data: made for programs."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec import Raw

from agents.portrait.plain import as_data
from schemas.activity import Behaviour, Regular
from schemas.packed import pack
from schemas.profile import Deposit
from schemas.record import Record
from streams.portrait import portrait
from streams.portrait.parts import Amount, Fact, Facts, Portrait
from tests.portrait.story import CUSTOMER, TODAY, ZONE, record


def data(held: Record, *, personal: bool = False) -> dict[str, Any]:
    return as_data(portrait(held, ZONE, TODAY, personal=personal, base_currency="CNY"))


def test_rates_journeys_and_regular_inflows_are_no_sentences() -> None:
    held = Record(CUSTOMER)
    held.profile.deposits["D1"] = Deposit(
        principal=Decimal("1009978.7800"),
        currency="USD",
        rate=Decimal("0.0280"),
        matures_on="2026-12-01",
        state="open",
    )
    salary = Regular("salary", Decimal(48_000), 8, 3)
    held.activity.behaviour = Raw(pack(Behaviour(regular=[salary])))
    held.activity.visits.journeys["place deposit"] = [2, 1, 0]
    told = data(held)
    (deposit,) = told["deposits"]
    assert deposit["rate"] == "0.028"
    assert deposit["principal"] == {"amount": "1009978.78", "currency": "USD"}
    assert told["journeys"] == [
        {"journey": "place deposit", "started": 2, "completed": 1, "abandoned": 0}
    ]
    assert told["regular_inflows"] == [
        {
            "purpose": "salary",
            "amount": {"amount": "48000.00", "currency": "CNY"},
            "day_of_month": 8,
            "months": 3,
        }
    ]


def test_each_member_of_a_family_is_an_object() -> None:
    child = {"relation": "child", "name": "曾子轩", "birthday": "2008-09-30"}
    assert child in data(record(), personal=True)["profile"]["family"]


@pytest.mark.parametrize(
    ("value", "told"),
    [("0", "0.00"), ("1E+3", "1000.00"), ("-5.1", "-5.10"), ("1.2340", "1.234")],
)
def test_an_amount_has_two_decimals_unless_it_has_more(value: str, told: str) -> None:
    facts = Facts("assets", (Fact("total", Amount(Decimal(value))),))
    assert as_data(Portrait("C1", (facts,)))["assets"]["total"] == {"amount": told}
