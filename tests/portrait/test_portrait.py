"""The portrait says what the record holds, and nothing that identifies a person unless asked."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console

from agents.portrait.picture import picture
from agents.portrait.plain import as_data
from agents.rules import read_rules
from schemas.activity import Contact
from schemas.profile import Card, Deposit, Relation
from schemas.record import Record
from streams.fold.service_line import enter
from streams.inputs import Raw
from streams.portrait import portrait
from streams.portrait.parts import Amount, Facts, Table
from tests.core.strategies import message
from tests.core.test_any_order import NO_RULES, RULES, histories, record_of
from tests.portrait import test_event_lines
from tests.portrait.story import CUSTOMER, NOW, TODAY, ZONE, messages, record
from tests.shipped import PLAIN

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
    child = {"relation": "child", "name": "曾子轩", "birthday": "2008-09-30"}
    assert child in told["family"]  # type: ignore[operator]  # a tuple


def test_nothing_that_identifies_a_person_is_shown_unless_asked_for() -> None:
    masked = json.dumps(as_data(portrait(record(), ZONE, TODAY)), ensure_ascii=False)
    assert not [one for one in PERSONAL if one in masked]
    told = facts(record(), "profile")
    assert (told["name"], told["phone"], told["birthday"]) == ("曾***", "***0042", "****-01-01")
    open_ = as_data(portrait(record(), ZONE, TODAY, personal=True))
    whole = json.dumps(open_, ensure_ascii=False)
    assert not [one for one in PERSONAL if one not in whole]


def base_sum(held: Record, *tables: str) -> Decimal:
    """Of what the tables show, in the base currency."""
    told = [row["in_base_currency"] for name in tables for row in rows(held, name)]
    return sum((one.amount for one in told if isinstance(one, Amount)), Decimal(0))


@settings(deadline=None, max_examples=60)
@given(histories())
def test_assets_are_the_sums_of_what_the_tables_show(raws: list[Raw]) -> None:
    held = record_of(raws, NO_RULES)
    told, loans = facts(held, "assets"), base_sum(held, "loans")
    total = base_sum(held, "accounts", "deposits", "holdings")
    assert told["total"] == Amount(total)
    assert told["net"] == Amount(total - loans)
    assert told.get("loans", Amount(Decimal(0))) == Amount(loans)


@settings(deadline=None, max_examples=60)
@given(histories())
def test_any_record_can_be_drawn_and_told_as_json(raws: list[Raw]) -> None:
    drawn = portrait(record_of(raws, RULES), ZONE, TODAY, base_currency="CNY")
    # A timer that was due is an input, too.
    assert json.loads(json.dumps(as_data(drawn)))["record"]["inputs"] >= len(raws)
    console = Console(width=100, force_terminal=False)
    with console.capture() as captured:
        console.print(picture(drawn))
    assert {cell_len(line) for line in captured.get().splitlines()} == {100}


def test_a_temporary_limit_is_told_until_it_ends() -> None:
    held = Record(CUSTOMER)
    for name, days in (("over", -1), ("today", 0), ("later", 31)):
        until = (TODAY + timedelta(days=days)).isoformat()
        held.profile.cards[name] = Card(limit_currency="CNY", limit=Decimal(9), limit_until=until)
    assert [row["name"] for row in rows(held, "open")] == ["today"]


def test_a_card_has_the_limit_that_holds_today() -> None:
    held = Record(CUSTOMER)
    for name, until in (("over", TODAY - timedelta(days=1)), ("today", TODAY)):
        card = Card(limit_currency="CNY", limit=Decimal(9), limit_until=until.isoformat())
        card.standing = Decimal(5)
        held.profile.cards[name] = card
    assert [(row["limit"], row["limit_until"]) for row in rows(held, "cards")] == [
        (Amount(Decimal(5), "CNY"), None),
        (Amount(Decimal(9), "CNY"), TODAY),
    ]


def test_a_bill_is_open_until_a_week_after_its_day_and_a_credit_never() -> None:
    held = Record(CUSTOMER)
    for name, days, due in (
        ("credit", 1, "-35.20"),
        ("soon", 1, "9"),
        ("today", 0, "9"),
        ("over", -7, "9"),
        ("gone", -8, "9"),
    ):
        day = (TODAY + timedelta(days=days)).isoformat()
        held.profile.cards[name] = Card(currency="CNY", amount_due=Decimal(due), due_on=day)
    assert [(row["name"], row["what"]) for row in rows(held, "open")] == [
        ("over", "card was due, payment not told"),
        ("today", "card is due"),
        ("soon", "card is due"),
    ]


@pytest.mark.parametrize("currency", ["CNY", "USD"], ids=["the limit's", "its own"])
def test_a_bill_that_a_transfer_paid_is_not_open(currency: str) -> None:
    limit = {"card": "K1", "limit": "9000", "currency": "CNY"}
    statement = {"card": "K1", "statement": "S1", "amount_due": "20.50", "currency": currency}
    statement["due_on"] = TODAY.isoformat()
    paid = {"transfer": "T1", "account": "A1", "direction": "out", "amount": "20.5"}
    paid |= {"currency": currency, "base_amount": "146", "purpose": "card statement"}
    names = ("transfer", "account", "direction", "amount", "base_amount")
    reversal = {name: paid[name] for name in names}
    told: list[tuple[str, str, dict[str, str]]] = [
        ("bank.card", "statement.issued", statement),
        ("bank.card", "card.limit_changed", limit),
        ("bank.core", "transfer.completed", paid),
        ("bank.core", "transfer.reversed", reversal | {"currency": currency}),
    ]
    raws = [
        replace(
            messages()[0],
            topic=topic,
            offset=n,
            value=message(kind, data, at=NOW - 9 + n, customer=CUSTOMER, event_id=str(n)),
        )
        for n, (topic, kind, data) in enumerate(told)
    ]
    assert [len(rows(record(raws[:n]), "open")) for n in (2, 3, 4)] == [1, 0, 1]


def test_what_somebody_took_on_is_open_until_it_is_over() -> None:
    held = Record(CUSTOMER)
    for at, kind, task in (
        (1, "task.accepted", "W1"),
        (2, "task.started", "W1"),
        (3, "task.accepted", "W2"),
        (4, "task.completed", "W2"),
    ):
        enter(held.activity, Contact(at, kind, "crm", "", task))
    assert [(row["name"], row["what"]) for row in rows(held, "open")] == [("W1", "task started")]


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
        ("over", "deposit matures"),
        ("soon", "deposit matures"),
    ]


def test_a_rule_waits_only_where_its_condition_holds() -> None:
    raws = []
    for offset, (deposit, principal) in enumerate((("large", "1000000"), ("small", "999999"))):
        data = {"deposit": deposit, "principal": principal, "currency": "CNY", "rate": "0.02"}
        data |= {"base_principal": principal, "matures_on": "2026-12-31"}
        value = message("deposit.placed", data, at=NOW, customer=CUSTOMER, event_id=deposit)
        raws.append(replace(messages()[0], topic="bank.core", offset=offset, value=value))
    held = record(raws)
    rules, _ = read_rules(core=PLAIN)
    before = held.encode()
    found = portrait(held, ZONE, TODAY, rules=rules).part("open")
    assert isinstance(found, Table)
    assert [row[1:3] for row in found.rows] == [("rule waits", "large-deposit-maturing:large")]
    assert held.encode() == before


def test_the_time_line_is_in_the_banks_zone_and_the_newest_comes_first() -> None:
    line = rows(record(), "time_line")
    times = [row["time"] for row in line]
    assert times == sorted(times, reverse=True)  # type: ignore[type-var]  # instants
    assert all(isinstance(at, datetime) and at.utcoffset() == timedelta(hours=8) for at in times)
    whats = {row["what"] for row in line}
    assert {"transfer out", "account opened", "deposit placed"} & whats


def test_the_time_line_says_what_the_event_said() -> None:
    fund = {"holding": "H1", "product": "FD-X", "product_class": "fund"}
    loan = {"loan": "L1", "kind": "mortgage"}
    told = [
        ("product.purchased", fund | {"amount": "100000", "currency": "CNY"}),
        ("product.redeemed", fund | {"amount": "90000", "currency": "CNY"}),
        ("product.redeemed", fund | {"amount": "10000", "currency": "CNY"}),
        ("loan.drawn", loan | {"amount": "1000", "currency": "USD", "base_amount": "7200"}),
        ("loan.repaid", loan | {"amount": "7200", "currency": "CNY"}),
    ]
    raws = []
    for n, (kind, data) in enumerate(told):
        value = message(kind, data, at=NOW - 9 + n, customer=CUSTOMER, event_id=str(n))
        raws.append(replace(messages()[0], topic="bank.core", offset=n, value=value))
    newest = [rows(record(raws[: n + 1]), "time_line")[0] for n in range(len(raws))]
    assert [(row["what"], row["amount"]) for row in newest] == [
        ("fund purchased", Amount(Decimal(100_000), "CNY")),
        ("fund redeemed", Amount(Decimal(90_000), "CNY")),
        ("fund redeemed", Amount(Decimal(10_000), "CNY")),
        ("loan drawn", Amount(Decimal(1_000), "USD")),
        ("loan repaid", Amount(Decimal(7_200), "CNY")),
    ]


def test_the_time_line_tells_of_a_refused_payment_what_clickhouse_tells() -> None:
    data = {"card": "K1", "payment": "P1", "amount": "9.50", "currency": "CNY", "merchant": "Ryo"}
    data |= {"category": "5812", "country": "JP", "presence": "present", "reason": "limit"}
    value = message("card.declined", data, at=NOW, customer=CUSTOMER, event_id="1")
    (line,) = rows(record([replace(messages()[0], topic="bank.card", value=value)]), "time_line")
    (stored,) = test_event_lines.told(json.loads(value))
    assert (line["what"], line["about"], line["amount"]) == stored[:3]
    assert line["about"] == "Ryo · restaurants · JP · limit · K1"


def test_the_time_line_tells_who_named_whom() -> None:
    held = Record(CUSTOMER)
    held.profile.relations["X1 <parent"] = Relation(at=2)
    held.profile.relations["X2 parent"] = Relation(at=1, stands=False)
    assert [(row["what"], row["about"]) for row in rows(held, "time_line")] == [
        ("relation added", "X1 · names this customer as parent"),
        ("relation removed", "X2 · parent"),
    ]


def test_an_empty_record_has_a_portrait_too() -> None:
    data = as_data(portrait(Record(CUSTOMER), ZONE, TODAY))
    assert data["customer"] == CUSTOMER
    assert data["accounts"] == data["open"] == data["time_line"] == []
