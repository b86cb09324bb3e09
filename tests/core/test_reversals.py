"""What a reversal takes back: one leg of a transfer, or a payment, whole or in part."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from schemas.activity import unpack_reversible
from schemas.record import Record
from schemas.reversibles import Reversibles
from streams.context import Context
from streams.durations import DAY_MS
from streams.fold.payments import MAX_PAYMENTS
from streams.inputs import Input, Raw
from streams.rules.ruleset import RuleSet
from streams.step import step
from tests.core.strategies import DAY, NOW, message, transfer
from tests.core.test_any_order import NO_RULES, WHO, record_of
from tests.rules.maker import ORIGIN
from tests.rules.test_amendable import HOUR, SETTINGS, event_of, named, rule

Told = tuple[str, dict[str, Any]]


def leg(direction: str) -> dict[str, Any]:
    """Between own accounts: both have one id."""
    return transfer(1, 1000, None, direction) | {"channel": "app"}


def told(*events: Told) -> Record:
    raws = []
    for n, (kind, data) in enumerate(events):
        value = message(kind, data, at=NOW - DAY + n, customer=WHO, event_id=str(n))
        raws.append(Raw("bank.core", 0, n, WHO.encode(), value))
    return record_of(raws, NO_RULES)


DONE = ("transfer.completed", leg("out")), ("transfer.completed", leg("in"))
TAKEN_BACK = ("transfer.reversed", leg("out")), ("transfer.reversed", leg("in"))


@pytest.mark.parametrize("events", [DONE + TAKEN_BACK, TAKEN_BACK + DONE])
def test_each_leg_is_reversed_by_itself(events: tuple[Told, ...]) -> None:
    record = told(*events)
    activity = record.activity
    assert (activity.inflow.base_total, activity.outflow.base_total) == (0, 0)
    (month,) = (record.months.get(number) for number in record.months)
    assert month is not None
    assert (month.inflow.total, month.outflow.total) == (0, 0)
    assert (month.channels["app"].count, month.channels["app"].total) == (0, 0)


def test_a_reversal_leaves_the_other_leg() -> None:
    activity = told(*DONE, TAKEN_BACK[0]).activity
    assert (activity.inflow.base_total, activity.outflow.base_total) == (1000, 0)


def paid(kind: str, at: int, amount: str, **data: Any) -> Input:
    """Of one payment, unless another is named."""
    told = {"payment": "P1", "card": "K1", "currency": "CNY", "category": "5411", "country": "CN"}
    money = {"amount": Decimal(amount), "base_amount": Decimal(amount)}
    event = event_of(f"card.{kind}", at, **told | money | {"presence": "present"} | data)
    return named(event, f"{kind}-{at}")


ASKED: RuleSet = SETTINGS.compiled(
    [
        rule(
            on="page.viewed",
            let={
                "authorised": "sum(base_amount, card.authorised, 7d)",
                "settled": "sum(base_amount, card.settled, last 2 months) + "
                "sum(base_amount, card.settled, this month)",
                "large": "streak(card.authorised, 7d, where=amount >= 50, without=card.declined)",
                "n": "count([card.authorised, card.settled], 7d)",
            },
            then={"task": {"text": {"en": "{authorised} {settled} {large} {n}", "zh": "甲"}}},
            amendable=False,
            **{"if": "true"},
        )
    ]
)


def windows(*events: Input, anew: bool = True) -> tuple[Record, str]:
    """The record after events, read anew after each, and what windows say of them."""
    record, context = Record("C1"), Context(ORIGIN + 40 * DAY_MS, ASKED, SETTINGS)
    for event in events:
        assert not step(record, event, context).failed
        if anew:
            record = Record("C1", record.encode())
    now = event_of("page.viewed", ORIGIN + 2 * DAY_MS, page="x")
    (task,) = step(record, named(now, "page"), context).effects
    return record, " ".join(structs.asdict(task.data)["values"].values())


AUTHORISED, SETTLED = paid("authorised", ORIGIN, "100"), paid("settled", ORIGIN + HOUR, "100")


@pytest.mark.parametrize(
    ("back", "left"),
    [
        ([], "100 100 1 2"),
        ([paid("reversed", ORIGIN + 2 * HOUR, "100")], "0 0 0 0"),
        ([paid("reversed", ORIGIN + 2 * HOUR, "30")], "70 70 1 2"),
        ([paid("reversed", ORIGIN + n * HOUR, "30.5") for n in (2, 3)], "39 39 0 2"),
        ([paid("reversed", ORIGIN + n * HOUR, "50") for n in (2, 3)], "0 0 0 0"),
        ([paid("reversed", ORIGIN + n * HOUR, "100") for n in (2, 3)], "0 0 0 0"),
        ([paid("reversed", ORIGIN + 2 * HOUR, "-100")], "0 0 0 0"),
        ([paid("reversed", ORIGIN + 2 * HOUR, "3", currency="USD")], "0 0 0 0"),
        ([paid("reversed", ORIGIN + HOUR // 2, "40")], "60 100 1 2"),
        ([paid("reversed", ORIGIN + 2 * HOUR, "100", payment="P2")], "100 100 1 2"),
    ],
    ids=["no", "all", "part", "parts", "halves", "twice", "minus", "dollars", "before", "another"],
)
def test_a_payment_is_reversed_whole_or_in_part_whatever_comes_first(
    back: list[Input], left: str
) -> None:
    for order in permutations([AUTHORISED, SETTLED, *back]):
        record, told = windows(*order)
        assert told == left
        assert windows(*order, anew=False)[0].encode() == record.encode()


def test_a_payment_that_is_gone_is_not_taken_back_again() -> None:
    """Months and what was paid with the card are corrected once."""
    back = [paid("reversed", ORIGIN + n * HOUR, "100") for n in (2, 3)]
    activity = windows(AUTHORISED, SETTLED, *back)[0].activity
    assert activity.uses["K1"].base_total == 0
    unknown = windows(AUTHORISED, paid("reversed", ORIGIN + HOUR, "30", payment="P2"))[0].activity
    assert unknown.uses["K1"].base_total == 70


@given(st.data())
def test_what_is_known_of_the_kept_without_a_look_at_each(data: st.DataObject) -> None:
    record, letters = Record("C1"), st.sampled_from(["A", "É"])
    kinds = st.sampled_from(["authorised", "settled", "reversed"])
    for n in range(data.draw(st.integers(0, 2 * MAX_PAYMENTS))):
        name = f"{data.draw(letters)}{data.draw(st.integers(0, n // 2))}"
        step(record, paid(data.draw(kinds), ORIGIN + n, "1", payment=name), NO_RULES)
        kept, packed = record.payments, record.activity.payments
        touched = [one for one in map(unpack_reversible, packed) if one.reversed or one.parts]
        assert kept.size == sum(map(len, packed))
        assert kept.taken >= {one.data[0] for one in touched} == Reversibles(packed).taken


def test_the_last_payments_are_kept() -> None:
    """The reversal of an older one leaves windows as they are."""
    many = [
        paid("authorised", ORIGIN + n, "1", payment=f"P{n:02}") for n in range(MAX_PAYMENTS + 1)
    ]
    back = [paid("reversed", ORIGIN + HOUR + n, "1", payment=f"P{n:02}") for n in (0, 2)]
    record, told = windows(*many, *back)
    assert told.split()[0] == f"{MAX_PAYMENTS}"
    kept = [unpack_reversible(one) for one in record.activity.payments]
    assert len(kept) == MAX_PAYMENTS
    assert [one.data[0] for one in kept if one.parts] == ["P02", "P00"]
