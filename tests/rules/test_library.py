"""The shipped rules on the storylines they are for."""

from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from schemas.effects import Text
from schemas.events import EVENT_TYPES
from schemas.record import Record
from streams.durations import DAY_MS
from streams.inputs import Correction, Input
from streams.rules.firing import Fired
from streams.rules.ruleset import RuleSet
from tests.rules.maker import ORIGIN, data_struct
from tests.shipped import PLAIN, shipped_rules

MINUTE = 60_000


class Customer:
    """Feeds one customer's events to the shipped rules."""

    def __init__(self) -> None:
        self.rules: RuleSet | None = None
        """In place of those that are shipped."""
        self.record = Record("C1")

    def send(self, event_type: str, at: int, **data: Any) -> Fired:
        event = self.event(event_type, at, **data)
        late = at < self.record.activity.latest - 30 * DAY_MS
        self.record.activity.latest = max(self.record.activity.latest, at)
        return (self.rules or _library()).apply(self.record, event, late=late)

    def event(self, event_type: str, at: int, **data: Any) -> Input:
        event = EVENT_TYPES[event_type](
            specversion="1.0",
            id="1",
            source="/test",
            subject="C1",
            time=None,  # type: ignore[arg-type]  # rules use Input.at
            data=data_struct(event_type)(**data),  # type: ignore[arg-type]  # the type's own
        )
        return Input(event, event_type, at, "bank.core", 0, 0)

    def transfer(self, at: int, amount: str, country: str | None = "CN", way: str = "out") -> Fired:
        money = Decimal(amount)
        return self.send(
            "transfer.completed",
            at,
            transfer=f"T{at}",
            account="A1",
            direction=way,
            amount=money,
            currency="CNY",
            base_amount=money,
            counterparty_country=country,
        )

    def page(self, at: int, topic: str | None) -> Fired:
        return self.send("page.viewed", at, page="Tuition", page_topic=topic)


@cache
def _library() -> RuleSet:
    return PLAIN.compiled(shipped_rules())


def ids(fired: Fired) -> list[str]:
    assert not fired.failed
    return [firing.rule.id for firing in fired.firings]


@pytest.fixture
def customer() -> Customer:
    return Customer()


def test_frequent_cross_border(customer: Customer) -> None:
    assert not ids(customer.transfer(ORIGIN, "200000.01", "US"))
    assert not ids(customer.transfer(ORIGIN + DAY_MS, "250000", "CN"))
    assert not ids(customer.transfer(ORIGIN + 2 * DAY_MS, "250000", None))
    assert not ids(customer.transfer(ORIGIN + 3 * DAY_MS, "250000", "HK"))
    assert not ids(customer.transfer(ORIGIN + 4 * DAY_MS, "200000", "US"))
    fired = customer.transfer(ORIGIN + 29 * DAY_MS, "300000.50", "GB", "in")
    assert ids(fired) == ["fx-frequent-cross-border"]
    values = fired.firings[0].values
    assert values["times"] == "3"
    assert values["total"] == "750000.51"
    assert values["counterparty_country"] == "GB"
    assert not ids(customer.transfer(ORIGIN + 29 * DAY_MS + MINUTE, "300000", "GB")), "cooldown"


def test_unusual_amount_needs_five_earlier_transfers(customer: Customer) -> None:
    for day in range(4):
        customer.transfer(ORIGIN + day * DAY_MS, "10000")
    assert not ids(customer.transfer(ORIGIN + 4 * DAY_MS, "60000"))
    fired = customer.transfer(ORIGIN + 5 * DAY_MS, "90000")
    assert ids(fired) == ["unusual-amount"]
    assert fired.firings[0].values["mean"] == "20000"
    assert fired.firings[0].values["ratio"] == "4.5"


def test_unusual_frequency_within_the_hour(customer: Customer) -> None:
    for number in range(5):
        assert not ids(customer.transfer(ORIGIN + number * 10 * MINUTE, "4000"))
    assert ids(customer.transfer(ORIGIN + 51 * MINUTE, "4000")) == ["unusual-frequency"]
    slow = Customer()
    for number in range(9):
        assert not ids(slow.transfer(ORIGIN + number * 15 * MINUTE, "4000"))
    small = Customer()
    for number in range(9):
        assert not ids(small.transfer(ORIGIN + number * MINUTE, "8.88"))


def test_study_abroad_browsing(customer: Customer) -> None:
    for number in range(4):
        assert not ids(customer.page(ORIGIN + number * MINUTE, "study-abroad"))
    assert not ids(customer.page(ORIGIN + 5 * MINUTE, "funds"))
    assert not ids(customer.page(ORIGIN + 5 * MINUTE, None))
    fired = customer.page(ORIGIN + 6 * DAY_MS, "study-abroad")
    assert ids(fired) == ["study-abroad-browsing"]
    assert fired.firings[0].values["views"] == "5"


def test_a_reversed_transfer_does_not_count(customer: Customer) -> None:
    for day in range(2):
        customer.transfer(ORIGIN + day * DAY_MS, "300000", "US")
    before = customer.record.encode()
    at = ORIGIN + DAY_MS - 1
    customer.transfer(at, "1", "US")
    data = {"transfer": f"T{at}", "account": "A1", "direction": "out", "currency": "CNY"}
    money = {"amount": Decimal("1"), "base_amount": Decimal("1")}
    original = customer.event("transfer.completed", at, **data, **money, counterparty_country="US")
    assert not _library().correct(customer.record, [Correction(original, None, 0)]).firings
    assert customer.record.encode() == before


def test_a_late_event_sees_its_own_window_and_a_too_late_one_none(customer: Customer) -> None:
    for number in range(4):
        customer.page(ORIGIN + number * 30 * MINUTE, "study-abroad")
    customer.page(ORIGIN + 20 * DAY_MS, "funds")
    late = customer.page(ORIGIN + 95 * MINUTE, "study-abroad")
    assert ids(late) == ["study-abroad-browsing"]
    other = Customer()
    for number in range(4):
        other.page(ORIGIN + number * 30 * MINUTE, "study-abroad")
    other.page(ORIGIN + 31 * DAY_MS, "funds")
    assert not ids(other.page(ORIGIN + 95 * MINUTE, "study-abroad"))


def test_a_rule_that_raises_loses_only_its_own_effects(customer: Customer) -> None:
    """No expression can raise, so the compiled functions are replaced by ones that do."""
    broken = customer.event("page.viewed", ORIGIN, page="P", page_topic="study-abroad")
    rules = PLAIN.compiled(shipped_rules())
    listening = rules._by_type["page.viewed"]

    def failing(*_: object) -> None:
        raise ZeroDivisionError

    [study] = [one for one in listening.rules if one.id == "study-abroad-browsing"]
    listening.evaluate = study.evaluate = failing
    assert rules.apply(customer.record, broken, late=False) == Fired([], ["study-abroad-browsing"])
    assert customer.record.activity.windows


def test_every_text_is_in_both_languages_and_has_its_values() -> None:
    for rule in shipped_rules():
        for template in (rule.then.task, rule.then.alert):
            if template is not None:
                text: Text = template.text.model_dump()
                assert set(text) == {"en", "zh"}
                assert text["en"].count("{") == text["zh"].count("{"), rule.id


def test_digest_follows_the_definitions() -> None:
    definitions = shipped_rules()
    digest = PLAIN.compiled(definitions).digest
    assert PLAIN.compiled(definitions[::-1]).digest == digest
    other = definitions[0].model_copy(update={"version": 99})
    assert PLAIN.compiled([other, *definitions[1:]]).digest != digest
