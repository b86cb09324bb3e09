"""The portrait says what the record holds, and nothing that identifies a person unless asked."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal

from agents.portrait.plain import as_data
from schemas.profile import Deposit
from schemas.record import Record
from streams.portrait import portrait
from streams.portrait.parts import Amount, Facts, Table
from tests.portrait.story import CUSTOMER, TODAY, ZONE, record

PERSONAL = ("曾浩然", "10000000042", "haoran.zeng", "990000199001010042", "1990-01-01", "林静怡")


def facts(record: Record, part: str, *, personal: bool = False) -> dict[str, object]:
    found = portrait(record, ZONE, TODAY, personal=personal).part(part)
    assert isinstance(found, Facts)
    return {fact.name: fact.value for fact in found.facts}


def rows(record: Record, part: str) -> list[dict[str, object]]:
    found = portrait(record, ZONE, TODAY).part(part)
    assert isinstance(found, Table)
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def test_profile_of_a_customer_to_whom_everything_happened() -> None:
    told = facts(record(), "profile", personal=True)
    assert told["name"] == "曾浩然"
    assert told["opened_on"] == date(2012, 6, 18)
    assert told["consent_service"] == {"phone": True, "wechat": True}
    assert "child · 曾子轩 · 2008-09-30" in told["family"]  # type: ignore[operator]  # a tuple


def test_nothing_that_identifies_a_person_is_shown_unless_asked_for() -> None:
    masked = json.dumps(as_data(portrait(record(), ZONE, TODAY)), ensure_ascii=False)
    assert not [one for one in PERSONAL if one in masked]
    told = facts(record(), "profile")
    assert (told["name"], told["phone"], told["birthday"]) == ("曾***", "***0042", "****-01-01")
    open_ = as_data(portrait(record(), ZONE, TODAY, personal=True))
    whole = json.dumps(open_, ensure_ascii=False)
    assert not [one for one in PERSONAL if one not in whole]


def test_assets_are_the_sums_of_what_is_open() -> None:
    held = record()
    accounts = rows(held, "accounts")
    deposits = rows(held, "deposits")
    profile = held.profile
    assert {row["account"] for row in accounts} <= profile.accounts.keys()
    told = facts(held, "assets")
    total = sum((row["in_base_currency"].amount for row in accounts), Decimal(0))  # type: ignore[attr-defined]  # an Amount
    assert told["accounts"] == Amount(total)
    principal = sum((row["in_base_currency"].amount for row in deposits), Decimal(0))  # type: ignore[attr-defined]  # an Amount
    assert told["deposits"] == Amount(principal)


def test_what_matures_within_thirty_days_is_open_and_what_was_redeemed_is_not() -> None:
    held = Record(CUSTOMER)
    for name, days, state in (
        ("soon", 30, "open"),
        ("later", 31, "open"),
        ("over", -1, "open"),
        ("gone", 3, "redeemed"),
    ):
        held.profile.deposits[name] = Deposit(
            principal=Decimal(100),
            currency="USD",
            matures_on=(TODAY + timedelta(days=days)).isoformat(),
            state=state,
            changed_at=1,
        )
    assert [(row["name"], row["what"]) for row in rows(held, "open")] == [
        ("over", "deposit has matured"),
        ("soon", "deposit matures"),
    ]


def test_the_time_line_is_in_the_banks_zone_and_the_newest_comes_first() -> None:
    line = rows(record(), "time_line")
    times = [row["time"] for row in line]
    assert times == sorted(times, reverse=True)  # type: ignore[type-var]  # instants
    assert all(isinstance(at, datetime) and at.utcoffset() == timedelta(hours=8) for at in times)
    whats = {row["what"] for row in line}
    assert {"transfer out", "account opened", "deposit placed"} & whats


def test_an_empty_record_has_a_portrait_too() -> None:
    data = as_data(portrait(Record(CUSTOMER), ZONE, TODAY))
    assert data["customer"] == CUSTOMER
    assert data["accounts"] == data["open"] == data["time_line"] == []
