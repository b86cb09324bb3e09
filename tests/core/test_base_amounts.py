"""Amounts in the base currency: as told, or reckoned by the rate in force, or a dead letter."""

from decimal import Decimal
from typing import Any

import pytest

from schemas.activity import Month, Sum
from schemas.dead_letters import Reason
from schemas.record import Record
from streams.base_amounts import with_base_amount
from streams.chunk import Outcome, apply_chunk
from streams.context import Context, CoreSettings
from streams.facts import Facts
from streams.inputs import Raw
from streams.intake import read
from streams.rules.compiler import compile_rules
from tests.core.strategies import CUSTOMERS, DAY, NOW, PARTITIONS, message
from tests.schemas.examples import examples

SETTINGS = CoreSettings(partitions=PARTITIONS)
RULES = compile_rules([])
CUSTOMER = CUSTOMERS[0]
USD = Facts(rates={"USD": Decimal("7.1245")})


def transfer(n: int, **data: Any) -> dict[str, Any]:
    told = {"transfer": f"T{n}", "account": "A1", "direction": "out", "amount": "100.10"}
    return told | {"currency": "USD"} | data


class Bank:
    """One customer, and facts that change between chunks."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.offset = 0

    def tell(
        self, event_type: str, data: dict[str, Any], facts: Facts, *, days: int = 1
    ) -> Outcome:
        """One event, so many days ago."""
        self.offset += 1
        name = f"{event_type}-{data.get('transfer', self.offset)}"
        value = message(event_type, data, at=NOW - days * DAY, customer=CUSTOMER, event_id=name)
        raw = Raw("bank.core", 0, self.offset, CUSTOMER.encode(), value)
        context = Context(now=NOW, rules=RULES, settings=SETTINGS, facts=facts)
        outcome = apply_chunk([read(raw, SETTINGS)], self.load, context)
        self.records.update(outcome.records)
        return outcome

    def load(self, customer: str) -> Record:
        return self.records.get(customer) or Record(customer)

    def months(self) -> list[Month]:
        months = self.records[CUSTOMER].months
        return [month for number in sorted(months) if (month := months.get(number))]

    @property
    def out(self) -> Decimal:
        return self.records[CUSTOMER].activity.outflow.base_total


def test_what_the_event_says_stands() -> None:
    bank = Bank()
    bank.tell("transfer.completed", transfer(1, base_amount="700.00"), USD)
    assert bank.out == Decimal("700.00")


def test_it_is_reckoned_by_the_rate_to_the_cent() -> None:
    bank = Bank()
    bank.tell("transfer.completed", transfer(1), USD)
    assert bank.out == Decimal("713.16")  # 100.10 x 7.1245 = 713.16245


def test_the_base_currency_needs_no_rate() -> None:
    bank = Bank()
    bank.tell("transfer.completed", transfer(1, currency="CNY"), Facts())
    assert bank.out == Decimal("100.10")


def test_without_a_rate_it_is_a_dead_letter_that_counts_once_the_rate_is_there() -> None:
    bank = Bank()
    (letter,) = bank.tell("transfer.completed", transfer(1), Facts()).dead_letters
    assert letter.reason == Reason.NO_BASE_AMOUNT
    assert "100.10" not in letter.detail
    assert bank.tell("transfer.completed", transfer(1), USD).counts["applied"] == 1
    assert bank.out == Decimal("713.16")


@pytest.mark.parametrize(
    ("amount", "rate"),
    [("99999999999.00", 10**11), ("9" * 14, 10**14 - 1), ("99999999999999", 1.1)],
)
def test_one_that_would_be_too_large_is_out_of_range(amount: str, rate: float) -> None:
    huge = Facts(rates={"USD": Decimal(str(rate))})
    told = Bank().tell("transfer.completed", transfer(1, amount=amount), huge)
    (letter,) = told.dead_letters
    assert letter.reason == Reason.BROKEN, "no rate is missing"
    assert "more than 14 digits" in letter.detail
    assert amount not in letter.detail


def test_the_same_event_is_a_duplicate_whatever_the_rate_is_by_then() -> None:
    bank = Bank()
    bank.tell("transfer.completed", transfer(1), USD)
    again = bank.tell("transfer.completed", transfer(1), Facts(rates={"USD": Decimal(8)}))
    assert again.counts["duplicates"] == 1
    assert bank.out == Decimal("713.16")


def test_a_reversal_takes_back_what_was_added() -> None:
    bank = Bank()
    bank.tell("transfer.completed", transfer(1), USD)
    bank.tell("transfer.reversed", transfer(1), Facts(rates={"USD": Decimal(8)}))
    assert bank.out == 0
    assert [month.outflow for month in bank.months()] == [Sum(0, Decimal(0))]


def test_months_too_take_back_what_was_added_if_the_reversal_comes_first() -> None:
    bank = Bank()
    bank.tell("transfer.reversed", transfer(1), Facts(rates={"USD": Decimal(8)}), days=40)
    bank.tell("transfer.completed", transfer(1), USD, days=80)
    assert bank.out == 0
    first, second = (month.outflow for month in bank.months())
    assert first == Sum(1, Decimal("713.16"))
    assert second == Sum(-1, Decimal("-713.16"))


@pytest.mark.parametrize(
    ("event_type", "amount", "base"),
    [
        ("transfer.completed", "amount", "base_amount"),
        ("balance.reported", "balance", "base_balance"),
        ("deposit.placed", "principal", "base_principal"),
        ("product.purchased", "amount", "base_amount"),
        ("loan.drawn", "amount", "base_amount"),
        ("card.settled", "amount", "base_amount"),
        ("outcome.recorded", "amount", "base_amount"),
    ],
)
def test_every_type_that_has_one(event_type: str, amount: str, base: str) -> None:
    data = examples(event_type)[-1]["data"] | {amount: "2.00", "currency": "USD"}
    told = {name: value for name, value in data.items() if name != base}
    value = message(event_type, told, at=NOW - 1, customer=CUSTOMER, event_id="1")
    event = read(Raw("bank.core", 0, 1, CUSTOMER.encode(), value), SETTINGS).input
    assert event is not None
    assert getattr(with_base_amount(event, USD, "CNY").event.data, base) == Decimal("14.25")
