"""Rules that wait for dates, of things and of the customer: what fires, and when."""

from calendar import isleap
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.attributes import AttributeDefinition
from schemas.effects import Task
from schemas.profile import NEVER, ProfileSection
from schemas.record import Record
from schemas.rule_parts import Text
from schemas.rule_waits import Wait
from schemas.rules import RuleDefinition
from streams.attributes import Attributes
from streams.calendar import WEEKENDS_ONLY
from streams.chunk import Outcome, apply_chunk
from streams.context import Context, CoreSettings
from streams.inputs import Raw
from streams.intake import read
from streams.portrait.open_things import open_things
from streams.rules.compiler import compile_rules
from streams.rules.ruleset import RuleSet
from streams.waits import dates
from streams.waits.days import Bank, Days, instant
from streams.yearly import next_lunar
from tests.core.strategies import CUSTOMERS, PARTITIONS, message
from tests.core.test_timers import ZONE, tasks

CUSTOMER = CUSTOMERS[0]
MONEY = {"amount": "100", "currency": "CNY", "base_amount": "100"}
DECLARED = Attributes(
    AttributeDefinition(name=name, type=kind, title=Text(en="A", zh="甲"), sensitive=sensitive)
    for name, kind, sensitive in (
        ("club_day", "date", False),
        ("secret_day", "date", True),
        ("segment", "text", False),
    )
)
SETTINGS = CoreSettings(partitions=PARTITIONS, time_zone=ZONE, attributes=DECLARED)
NOW = 4_000_000_000_000
BEGIN = datetime(2026, 1, 1, 12, tzinfo=ZONE)
NEWS: dict[str, tuple[list[str], str]] = {
    "holdings": (["product.purchased"], "{holding} {amount} {matures_on}"),
    "loans": (["loan.drawn", "loan.repaid"], "{loan} {amount} {due_on}"),
    "deposits": (["deposit.placed", "deposit.renewed"], "{deposit} {principal} {matures_on}"),
    "statements": (["statement.issued"], "{card} {amount_due} {due_on}"),
    "limits": (["card.limit_changed"], "{card} {limit} {temporary_until}"),
    "own": (["customer.updated"], "{tier}"),
}
"""Kind → after which events a rule waits, and what it says."""


def rule(kind: str, wait: dict[str, Any], name: str = "", **change: Any) -> RuleDefinition:
    on, text = NEWS[kind]
    return RuleDefinition.model_validate(
        {
            "id": name or kind,
            "version": 1,
            "title": {"en": "A", "zh": "甲"},
            "kind": "care",
            "owner": "tests",
            "status": "live",
            "on": on,
            "wait": wait,
            "if": "true",
            "then": {"task": {"text": {"en": text, "zh": text}}},
            **change,
        }
    )


def compiled(*rules: RuleDefinition) -> RuleSet:
    return compile_rules(rules, attributes=DECLARED, zone=ZONE)


def millis(when: datetime) -> int:
    return int(when.timestamp() * 1_000)


def at(day: str, hour: int = 9) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(hour), ZONE)


class Life:
    """One customer, told of at times of the bank."""

    def __init__(self, *rules: RuleDefinition) -> None:
        self.rules = compiled(*rules)
        self.record = Record(CUSTOMER)
        self.sent = 0

    def tell(self, kind: str, when: datetime | str, /, **data: Any) -> Outcome:
        self.sent += 1
        moment = at(when, 12) if isinstance(when, str) else when
        value = message(kind, data, at=millis(moment), customer=CUSTOMER, event_id=f"{self.sent}")
        entry = read(Raw("bank.core", 0, self.sent, CUSTOMER.encode(), value), SETTINGS)
        outcome = apply_chunk([entry], lambda _: self.record, Context(NOW, self.rules, SETTINGS))
        assert not outcome.dead_letters
        return outcome

    def until(self, when: datetime) -> Outcome:
        context = Context(NOW, self.rules, SETTINGS, millis(when))
        return apply_chunk([], lambda _: self.record, context, (CUSTOMER,))

    def by(self, day: str) -> list[tuple[str, str]]:
        """Which tasks come until then: days and texts."""
        return [(_day(one), one.data.text["en"]) for one in tasks(self.until(at(day, 23)))]


def _day(task: Task) -> str:
    return task.time.astimezone(ZONE).date().isoformat()


def buy(life: Life, when: str, name: str, matures_on: str | None, kind: str = "purchased") -> None:
    about = {"holding": name, "product": "P1", "product_class": "wealth", **MONEY}
    if matures_on:
        about["matures_on"] = matures_on
    life.tell(f"product.{kind}", when, **about)


def test_a_product_that_matures() -> None:
    life = Life(rule("holdings", {"days": 7, "before": "matures_on"}))
    buy(life, "2026-01-05", "H1", "2026-06-01")
    buy(life, "2026-01-05", "H2", None)
    buy(life, "2026-01-05", "H3", "2026-05-01")
    buy(life, "2026-01-06", "H3", "2026-05-01", "redeemed")
    assert life.by("2026-12-31") == [("2026-05-25", "H1 100 2026-06-01")]


def test_a_loan_whose_next_instalment_moves_on_with_each_that_is_paid() -> None:
    life = Life(rule("loans", {"business_days": 2, "before": "due_on"}, on=["loan.drawn"]))
    about = {"loan": "L1", "kind": "mortgage", "currency": "CNY"}
    life.tell("loan.drawn", "2026-01-05", **about, amount="100", due_on="2026-02-02")
    assert life.by("2026-02-01") == [("2026-01-29", "L1 100 2026-02-02")], "before the weekend"
    life.tell("loan.repaid", "2026-02-02", **about, amount="10", due_on="2026-03-02")
    assert life.by("2026-03-01") == [("2026-02-26", "L1 90 2026-03-02")]
    life.tell("loan.repaid", "2026-03-02", **about, amount="90", due_on="2026-04-02")
    assert life.by("2026-12-31") == []


def test_a_word_on_less_of_a_thing_that_leaves_the_date_out_ends_no_wait() -> None:
    wait = {"days": 7, "before": "matures_on"}
    life = Life(rule("holdings", wait), rule("loans", {"days": 5, "before": "due_on"}))
    buy(life, "2026-01-05", "H1", "2026-06-01")
    half = {"holding": "H1", "product": "P1", "product_class": "wealth", "currency": "CNY"}
    life.tell("product.redeemed", "2026-01-07", **half, amount="40", base_amount="40")
    loan = {"loan": "L1", "kind": "mortgage", "currency": "CNY"}
    life.tell("loan.repaid", "2026-01-08", **loan, amount="10")
    life.tell("loan.drawn", "2026-01-06", **loan, amount="100", due_on="2026-04-20")
    life.tell("loan.repaid", "2026-01-09", **loan, amount="10")
    expected = [("2026-04-15", "L1 80 2026-04-20"), ("2026-05-25", "H1 60 2026-06-01")]
    assert life.by("2026-12-31") == expected


def test_a_bill_and_a_limit_of_one_card() -> None:
    life = Life(
        rule("statements", {"days": 1, "after": "due_on"}),
        rule("limits", {"days": 2, "before": "temporary_until"}),
    )
    card = {"card": "K1", "currency": "CNY"}
    life.tell(
        "statement.issued",
        "2026-01-05",
        **card,
        statement="S1",
        amount_due="5",
        due_on="2026-01-20",
    )
    life.tell("card.limit_changed", "2026-01-06", **card, limit="9", temporary_until="2026-01-15")
    assert life.by("2026-01-31") == [
        ("2026-01-13", "K1 9 2026-01-15"),
        ("2026-01-21", "K1 5 2026-01-20"),
    ]
    life.tell("card.limit_changed", "2026-02-01", **card, limit="9", temporary_until="2026-02-20")
    life.tell("card.limit_changed", "2026-02-02", **card, limit="9")
    assert life.by("2026-12-31") == [], "it is not temporary any more"


def test_things_of_one_name_do_not_get_in_each_others_way() -> None:
    wait = {"days": 7, "before": "matures_on"}
    life = Life(
        rule(
            "holdings",
            wait,
            on=["product.purchased", "deposit.placed"],
            then={"task": {"text": {"en": "{matures_on}", "zh": "{matures_on}"}}},
        )
    )
    buy(life, "2026-01-05", "X", "2026-06-01")
    placed = {"deposit": "X", "principal": "5", "currency": "CNY", "rate": "0.1"}
    life.tell("deposit.placed", "2026-01-05", **placed, base_principal="5", matures_on="2026-07-01")
    life.tell("deposit.redeemed", "2026-01-06", deposit="X", amount="5", currency="CNY")
    assert life.by("2026-12-31") == [("2026-05-25", "2026-06-01")]


def test_days_after_the_first_account_was_opened() -> None:
    life = Life(rule("own", {"days": 30, "after": "opened_on"}))
    life.tell("customer.updated", "2026-01-05", opened_on="2026-01-04", tier="gold")
    life.tell("customer.updated", "2026-01-06", tier="diamond")
    assert life.by("2026-12-31") == [("2026-02-03", "diamond")]
    late = Life(rule("own", {"days": 30, "after": "opened_on"}))
    late.tell("customer.updated", "2026-03-05", opened_on="2026-01-04")
    assert late.by("2027-12-31") == []


def test_a_birthday_comes_every_year_to_a_customer_who_is_never_touched_again() -> None:
    life = Life(rule("own", {"days": 3, "before": "birthday", "every": "year"}))
    life.tell("customer.updated", "2026-01-05", birthday="1980-02-29", tier="gold")
    days = [day for day, _ in life.by("2029-12-31")]
    assert days == ["2026-02-25", "2027-02-25", "2028-02-26", "2029-02-25"]
    again = life.until(at("2030-12-31"))
    (task,) = tasks(again)
    assert "1980" not in str(again.encoded), "the year is nobody's business"
    assert task.data.cause.id == "1"


def test_a_birthday_that_changes_and_one_that_is_removed() -> None:
    life = Life(rule("own", {"days": 0, "before": "birthday", "every": "year"}))
    life.tell("customer.updated", "2026-01-05", birthday="1980-03-01")
    life.tell("customer.updated", "2026-01-06", birthday="1980-04-01")
    assert [day for day, _ in life.by("2027-03-31")] == ["2026-04-01"]
    life.tell("customer.updated", "2027-03-31", birthday=None)
    assert life.record.header.next_due == NEVER
    assert not life.record.activity.timers


def test_told_within_the_days_before_it_fires_at_once_and_not_twice() -> None:
    life = Life(rule("own", {"days": 10, "before": "birthday", "every": "year"}))
    life.tell("customer.updated", "2026-02-25", birthday="1980-03-01")
    assert life.by("2026-02-26") == [("2026-02-25", "–")]
    life.tell("customer.updated", "2026-02-26", birthday="1980-03-01", tier="gold")
    assert life.by("2027-02-28") == [("2027-02-19", "gold")]


def test_a_child_turns_eighteen() -> None:
    wait = {"days": 60, "before": "birthday", "every": "year", "of": ["son", "daughter"]}
    life = Life(rule("own", {**wait, "turns": 18}))
    family = [
        {"relation": "daughter", "birthday": "2008-09-01"},
        {"relation": "son", "birthday": "2010-05-05", "name": "B"},
        {"relation": "spouse", "birthday": "2008-10-01"},
        {"relation": "son"},
    ]
    told = life.tell("customer.updated", "2026-01-05", family=family)
    assert told.dues
    made = life.until(at("2026-08-01"))
    assert [_day(one) for one in tasks(made)] == ["2026-07-03"]
    assert "2008" not in str(made.encoded)
    life.tell("customer.updated", "2026-08-02", family=family[:2])
    assert [day for day, _ in life.by("2040-01-01")] == ["2028-03-06"], "not twice"


def test_lunar_birthdays() -> None:
    life = Life(rule("own", {"days": 0, "before": "birthday", "every": "lunar year"}))
    life.tell("customer.updated", "2026-01-05", birthday="1980-10-15")
    expected, day = [], date(2026, 1, 5)
    for _ in range(3):
        day = next_lunar(date(1980, 10, 15), day) or day
        expected.append(day.isoformat())
    assert [day for day, _ in life.by("2029-01-31")] == expected
    assert expected[0] != "2026-10-15"


def test_rules_that_come_later_find_the_dates_that_were_told() -> None:
    """A customer's own dates are told once in a lifetime: whatever happens next sets the timers."""
    birthday = rule("own", {"days": 3, "before": "birthday", "every": "year"})
    life = Life()
    life.tell("customer.updated", "2026-01-05", birthday="1980-03-01", opened_on="2020-02-01")
    life.rules = compiled(birthday)
    assert life.record.header.next_due == NEVER
    life.tell("logged.in", "2026-01-06", channel="app")
    assert [day for day, _ in life.by("2026-12-31")] == ["2026-02-26"]
    other = rule("own", {"days": 0, "before": "opened_on", "every": "year"}, "anniversary")
    life.rules = compiled(other)
    life.tell("logged.in", "2027-01-01", channel="app")
    assert [day for day, _ in life.by("2027-12-31")] == ["2027-02-01"]
    assert len(life.record.activity.timers) == 1
    life.rules = compiled()
    life.tell("logged.in", "2028-01-01", channel="web")
    assert not life.record.activity.timers
    assert life.record.activity.armed == 0


def test_a_rule_that_comes_later_finds_the_things_that_are_there() -> None:
    life = Life()
    buy(life, "2026-01-05", "H1", "2026-06-01")
    buy(life, "2026-01-05", "H2", "2026-02-01")
    buy(life, "2026-01-05", "H3", "2026-06-01")
    buy(life, "2026-01-06", "H3", "2026-06-01", "redeemed")
    life.rules = compiled(rule("holdings", {"days": 7, "before": "matures_on"}))
    life.tell("logged.in", "2026-03-01", channel="app")
    assert life.by("2026-12-31") == [("2026-05-25", "H1 100 2026-06-01")]


def test_of_very_many_dates_those_that_are_due_first_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dates, "MAX_FOUND", 2)
    life = Life()
    for n in range(5):
        buy(life, "2026-01-05", f"H{n}", f"2026-06-0{9 - n}")
    life.rules = compiled(rule("holdings", {"days": 7, "before": "matures_on"}))
    life.tell("logged.in", "2026-03-01", channel="app")
    assert life.record.activity.dropped == {"timers": 3}
    assert [text[:2] for _, text in life.by("2026-12-31")] == ["H4", "H3"]


@pytest.mark.parametrize(
    ("days", "day"), [(3, "2026-05-29"), (14, "2026-05-18"), (100, "2026-04-01")]
)
def test_other_days_in_a_new_version_move_what_waits(days: int, day: str) -> None:
    life = Life(rule("holdings", {"days": 7, "before": "matures_on"}))
    buy(life, "2026-01-05", "H1", "2026-06-01")
    life.rules = compiled(rule("holdings", {"days": days, "before": "matures_on"}))
    life.tell("logged.in", "2026-04-01", channel="app")
    assert life.by("2026-12-31") == [(day, "H1 100 2026-06-01")]


@pytest.mark.parametrize("days", [3, 14, 40])
def test_what_fired_this_year_does_not_fire_again_for_other_days(days: int) -> None:
    life = Life(rule("own", {"days": 7, "before": "birthday", "every": "year"}))
    life.tell("customer.updated", "2026-01-05", birthday="1980-06-01")
    assert life.by("2026-05-26") == [("2026-05-25", "–")]
    life.rules = compiled(rule("own", {"days": days, "before": "birthday", "every": "year"}))
    life.tell("logged.in", "2026-05-27", channel="app")
    day = date(2027, 6, 1) - timedelta(days)
    assert life.by("2027-12-31") == [(day.isoformat(), "–")]


@pytest.mark.parametrize(
    ("before", "after", "days"),
    [
        ({"days": 10, "after": "birthday"}, {"days": 5, "before": "birthday"}, "2026-12-15"),
        ({"days": 60, "after": "birthday"}, {"days": 0, "before": "birthday"}, "2026-12-20"),
        ({"days": 150, "after": "birthday"}, {"days": 5, "before": "birthday"}, "2026-12-15"),
        ({"days": 5, "before": "birthday"}, {"days": 10, "after": "birthday"}, "2026-12-30"),
        (
            {"business_days": 5, "after": "birthday"},
            {"business_days": 3, "before": "birthday"},
            "2026-12-16",
        ),
    ],
)
def test_a_new_version_that_looks_to_the_other_side_of_a_date_misses_none(
    before: dict[str, Any], after: dict[str, Any], days: str
) -> None:
    life = Life(rule("own", {**before, "every": "year"}))
    life.tell("customer.updated", "2026-12-01", birthday="1988-12-20")
    life.rules = compiled(rule("own", {**after, "every": "year"}))
    life.tell("logged.in", "2026-12-02", channel="app")
    assert [day for day, _ in life.by("2027-01-31")] == [days]


@pytest.mark.parametrize(
    ("other", "days"),
    [
        ({"before": "opened_on"}, ["2026-04-28"]),
        ({"before": "birthday", "of": "daughter"}, ["2026-07-29"]),
        ({"before": "birthday", "of": ["son", "daughter"]}, ["2026-06-28", "2026-07-29"]),
    ],
)
def test_another_date_in_a_new_version_is_waited_for_in_its_stead(
    other: dict[str, Any], days: list[str]
) -> None:
    family = [
        {"relation": "son", "birthday": "2010-07-01"},
        {"relation": "daughter", "birthday": "2010-08-01"},
    ]
    told = {"birthday": "1980-06-01", "opened_on": "2020-05-01", "family": family}
    for before in ({"before": "birthday"}, {"before": "birthday", "of": "son"}):
        life = Life(rule("own", {"days": 3, **before, "every": "year"}))
        life.tell("customer.updated", "2026-01-05", **told)
        life.rules = compiled(rule("own", {"days": 3, **other, "every": "year"}))
        life.tell("logged.in", "2026-01-06", channel="app")
        assert [day for day, _ in life.by("2026-12-31")] == days


def test_a_timer_that_is_too_early_by_the_rule_of_now_waits_on() -> None:
    """Also of a customer of whom nothing was heard since the rule changed."""
    life = Life(rule("own", {"days": 7, "before": "birthday", "every": "year"}))
    life.tell("customer.updated", "2026-01-05", birthday="1980-06-01")
    life.rules = compiled(rule("own", {"business_days": 1, "before": "birthday", "every": "year"}))
    assert [day for day, _ in life.by("2027-12-31")] == ["2026-05-29", "2027-05-31"]


def test_a_late_event_does_not_call_back_a_birthday_that_is_over() -> None:
    life = Life()
    life.tell("customer.updated", "2026-01-05", birthday="1980-03-01")
    life.tell("logged.in", "2026-03-05", channel="app")
    life.rules = compiled(rule("own", {"days": 3, "before": "birthday", "every": "year"}))
    life.tell("logged.in", "2026-02-20", channel="web")
    assert life.by("2027-02-27") == [("2027-02-26", "–")]


def test_a_portrait_shows_what_comes_soon_and_no_date() -> None:
    child = {"days": 5, "before": "birthday", "every": "year", "of": "son"}
    life = Life(
        rule("own", {"days": 3, "before": "birthday", "every": "year"}, "birthday"),
        rule("own", child, "child"),
        rule("holdings", {"days": 7, "before": "matures_on"}),
    )
    family = [{"relation": "son", "birthday": "2010-02-20"}]
    life.tell("customer.updated", "2026-01-05", birthday="1980-06-01", family=family)
    buy(life, "2026-01-05", "H1", "2026-11-01")

    def waits(today: str) -> list[object]:
        rows = open_things(life.record, ZONE, date.fromisoformat(today), life.rules).rows
        return [row[2] for row in rows if row[1] == "rule waits"]

    assert waits("2026-01-05") == ["holdings:H1"]
    assert waits("2026-02-01") == ["child", "holdings:H1"]
    assert tasks(life.until(at("2026-05-01")))
    assert waits("2026-05-05") == ["birthday", "holdings:H1"]


def test_a_rule_that_ended_sets_no_timer_for_the_next_year() -> None:
    life = Life(rule("own", {"days": 3, "before": "birthday", "every": "year"}))
    life.tell("customer.updated", "2026-01-05", birthday="1980-03-01")
    life.rules = compiled()
    assert life.by("2030-12-31") == []
    assert not life.record.activity.timers


def test_what_cannot_be_told_any_more_is_not_told() -> None:
    """A sum beyond what an event may say: it is held, and its timer fires nothing."""
    life = Life(rule("holdings", {"days": 7, "before": "matures_on"}))
    about = {"holding": "H1", "product": "P1", "product_class": "fund", "currency": "CNY"}
    for n in range(2):
        huge = {"amount": "9" * 14, "base_amount": "9" * 14, "matures_on": "2026-06-01"}
        life.tell("product.purchased", f"2026-01-0{n + 1}", **about, **huge)
    made = life.until(at("2026-12-31"))
    assert made.counts["timers"] == 1
    assert not tasks(made)


@pytest.mark.parametrize(
    ("kind", "wait", "words"),
    [
        ("own", {"days": 3, "before": "birthdy", "every": "year"}, "did you mean birthday"),
        ("own", {"days": 3, "before": "attributes.club"}, "did you mean attributes.club_day"),
        ("own", {"days": 3, "before": "attributes.segment"}, "is no date of a customer"),
        ("own", {"days": 3, "before": "attributes.secret_day"}, "is sensitive: rules do not see"),
        ("loans", {"days": 3, "before": "matures_on"}, "is no date of loan.drawn and loan.repaid"),
        ("loans", {"days": 3, "before": "due_on", "every": "year"}, "every year has no `on`"),
    ],
)
def test_a_date_that_there_is_none_of_is_refused(
    kind: str, wait: dict[str, Any], words: str
) -> None:
    with pytest.raises(Exception, match=words):
        compiled(rule(kind, wait))


def all_rules(other: int = 0) -> list[RuleDefinition]:
    """Of each kind one; with `other`, another version of them, with other days."""
    yearly = {"before": "birthday", "every": "year"}
    return [
        rule("holdings", {"days": 7 + 3 * other, "before": "matures_on"}),
        rule("loans", {"business_days": 3 - other, "before": "due_on", "at": "18:30"}),
        rule("deposits", {"days": 0, "before": "matures_on"}),
        rule("statements", {"business_days": 1 + 2 * other, "after": "due_on"}),
        rule("limits", {"days": 2, "before": "temporary_until", "at": "00:00"}),
        rule("own", {"days": 30 - 20 * other, "after": "opened_on"}, "welcome"),
        rule("own", {"days": 3 + 17 * other, **yearly}, "birthday"),
        rule("own", {"business_days": 2, "before": "opened_on", "every": "year"}, "anniversary"),
        rule("own", {"days": 1 - other, "after": "attributes.club_day", "every": "year"}, "club"),
        rule("own", {"days": 60 - 30 * other, **yearly, "of": "child", "turns": [17, 18]}, "child"),
    ]


class Polled:
    """The twin: looks at every rule after each event and at its time of every day."""

    def __init__(self) -> None:
        self.now = BEGIN
        self.rules = all_rules()
        self.armed = False
        """The first event finds all dates, as do rules that are new."""
        self.dates: dict[tuple[str, str], str] = {}
        """Rule and thing → the date that is waited for."""
        self.told: set[tuple[str, str, date]] = set()
        self.fired: list[tuple[datetime, str]] = []

    def until(self, when: datetime) -> None:
        times = [
            datetime.combine(self.now.date() + timedelta(n), _at(one), ZONE)
            for one in self.rules
            for n in range((when.date() - self.now.date()).days + 1)
        ]
        for moment in sorted(set(times)):
            if self.now < moment <= when:
                self._look(moment)
        self.now = when

    def event(self, kind: str, when: datetime, profile: ProfileSection) -> None:
        """What is there after it. Things that are only moved by it are not waited for anew."""
        for one in self.rules:
            found = dict(_days(one, profile))
            held = {name for rule_id, name in self.dates if rule_id == one.id}
            for name in held - found.keys():
                self._forget(one, name)
            for name, day in found.items():
                sets = kind in one.on or one.on == ["customer.updated"] or not self.armed
                if self.dates.get((one.id, name)) == day or not (sets or name in held):
                    continue
                self._forget(one, name)
                if any(_over(one, o) >= when for o in _occurrences(one, day)):
                    self.dates[one.id, name] = day
        self.armed = True
        self._look(when)

    def _forget(self, one: RuleDefinition, name: str) -> None:
        self.dates.pop((one.id, name), None)
        self.told = {key for key in self.told if key[:2] != (one.id, name)}

    def _look(self, now: datetime) -> None:
        for one in self.rules:
            for (rule_id, name), day in self.dates.items():
                if rule_id != one.id:
                    continue
                for occurrence in _occurrences(one, day):
                    key = (one.id, name, occurrence)
                    ready = datetime.combine(_shifted(one, occurrence), _at(one), ZONE)
                    if key not in self.told and ready <= now <= _over(one, occurrence):
                        self.told.add(key)
                        self.fired.append((now, one.id))


def _wait(one: RuleDefinition) -> Wait:
    assert one.wait is not None
    return one.wait


def _at(one: RuleDefinition) -> time:
    return time.fromisoformat(_wait(one).at)


def _over(one: RuleDefinition, occurrence: date) -> datetime:
    last = _shifted(one, occurrence) if _wait(one).after else occurrence
    return datetime.combine(last, time(23, 59), ZONE)


def _shifted(one: RuleDefinition, day: date) -> date:
    wait = _wait(one)
    step = timedelta(1 if wait.after else -1)
    if wait.days is not None:
        return day + wait.days * step
    left = wait.business_days or 0
    while left:
        day += step
        left -= WEEKENDS_ONLY.is_business_day(day)
    return day


def _occurrences(one: RuleDefinition, day: str) -> Iterator[date]:
    first, wait = date.fromisoformat(day), _wait(one)
    if wait.every is None:
        yield first
        return
    for year in range(max(first.year + 1, 2024), 2042):
        if wait.turns and year - first.year not in wait.turns:
            continue
        is_leap = year % 4 == 0
        last = 28 if first.month == 2 and not is_leap else 31
        yield date(year, first.month, min(first.day, last))


def _days(one: RuleDefinition, profile: ProfileSection) -> Iterator[tuple[str, str]]:
    things: dict[str, Iterator[tuple[str, str | None]]] = {
        "holdings": ((n, h.matures_on) for n, h in profile.holdings.items() if h.amount > 0),
        "loans": ((n, loan.due_on) for n, loan in profile.loans.items() if loan.amount > 0),
        "deposits": ((n, d.matures_on) for n, d in profile.deposits.items() if d.state == "open"),
        "statements": ((n, k.due_on) for n, k in profile.cards.items() if k.amount_due > 0),
        "limits": ((n, k.limit_until) for n, k in profile.cards.items()),
        "birthday": iter([("", profile.basics.birthday)]),
        "welcome": iter([("", profile.basics.opened_on)]),
        "anniversary": iter([("", profile.basics.opened_on)]),
        "club": iter([("", str(profile.attributes.get("club_day") or "") or None)]),
        "child": (
            (f"{m.birthday}", m.birthday)
            for m in profile.basics.family or ()
            if m.relation == "child"
        ),
    }
    yield from ((name, day) for name, day in things[one.id] if day is not None)


def _random_event(random: Random, now: datetime) -> tuple[str, dict[str, Any]]:
    def soon() -> str:
        return (now.date() + timedelta(random.randint(-3, 120))).isoformat()

    name = random.choice("AB")
    money = {"amount": random.choice(("50", "100")), "currency": "CNY", "base_amount": "1"}
    holding = {"holding": name, "product": "P", "product_class": "fund", **money}
    if random.random() < 0.8:
        holding["matures_on"] = soon()
    loan = {"loan": name, "kind": "car", **money, "due_on": soon()}
    placed = {"principal": "9", "base_principal": "9", "currency": "CNY", "rate": "0.1"}
    card = {"card": name, "currency": "CNY"}
    limit = {"limit": "5", **random.choice(({}, {"temporary_until": soon()}))}
    born = random.choice(("2008-02-29", "2009-11-30", "2010-06-01"))
    patches: list[dict[str, Any]] = [
        {"birthday": random.choice(("1980-02-29", "1981-12-31", soon(), None))},
        {"opened_on": random.choice(("2024-02-29", soon(), None)), "tier": "gold"},
        {"attributes": {"club_day": random.choice(("2020-05-05", "2024-02-29", None))}},
        {"family": random.choice((None, [{"relation": "child", "birthday": born}]))},
    ]
    return random.choice(
        (
            ("product.purchased", holding),
            ("product.redeemed", {**holding, **random.choice(({}, {"left": "0"}))}),
            ("loan.drawn", loan),
            ("loan.repaid", loan),
            ("deposit.placed", {"deposit": name, **placed, "matures_on": soon()}),
            ("deposit.renewed", {"deposit": name, **placed, "matures_on": soon()}),
            ("deposit.redeemed", {"deposit": name, "amount": "9", "currency": "CNY"}),
            (
                "statement.issued",
                {**card, "statement": "S", "amount_due": random.choice("05"), "due_on": soon()},
            ),
            ("card.limit_changed", {**card, **limit}),
            ("customer.updated", random.choice(patches)),
            ("customer.updated", random.choice(patches)),
            ("customer.updated", random.choice(patches)),
        )
    )


def occurrences(first: date, days: Days) -> list[date]:
    """All days on which a date comes, of a rule that waits for every year of it."""
    turns = days.turns or range(1, 150)
    return [
        date(first.year + turn, 2, 28)
        if (first.month, first.day) == (2, 29) and not isleap(first.year + turn)
        else first.replace(year=first.year + turn)
        for turn in sorted(turns)
    ]


@settings(max_examples=300, deadline=None)
@given(
    st.builds(
        Days,
        number=st.integers(0, 250),
        is_business=st.booleans(),
        is_after=st.booleans(),
        at=st.times().map(lambda one: one.replace(second=0, microsecond=0)),
        every=st.just("year"),
        turns=st.sets(st.integers(1, 60), max_size=4).map(tuple),
    ),
    st.dates(date(1970, 1, 1), date(2020, 12, 31)) | st.just(date(1996, 2, 29)),
    st.integers(0, 60),
    st.integers(-2_880, 2_880) | st.integers(-600_000, 600_000),
)
def test_a_date_of_every_year_is_the_first_of_all_its_years(
    days: Days, first: date, year: int, minutes: int
) -> None:
    def shifted(one: date) -> date:
        if not days.is_business:
            return one + timedelta(days.number if days.is_after else -days.number)
        if days.is_after:
            return WEEKENDS_ONLY.business_days_after(one, days.number)
        return WEEKENDS_ONLY.business_days_before(one, days.number)

    near = first + timedelta(365.25 * year)
    told = max(0, instant(near, time(0), ZONE) + minutes * 60_000)
    every = [(one, shifted(one)) for one in occurrences(first, days)]
    ready = [(instant(on, days.at, ZONE), max(one, on)) for one, on in every]
    over = [max(at, told) for at, last in ready if instant(last, time(23, 59), ZONE) >= told]
    bank = Bank(ZONE, WEEKENDS_ONLY)
    assert days.first(first.isoformat(), told, bank) == next(iter(over), None)
    after = [at for at, _ in ready if at > told]
    assert days.again(first.isoformat(), told, bank) == next(iter(after), None)


@settings(max_examples=80, deadline=None)
@given(st.randoms(use_true_random=True))
def test_what_fires_is_what_somebody_sees_who_looks_every_day(random: Random) -> None:
    life, twin, made, now = Life(*all_rules()), Polled(), list[Task](), BEGIN
    for _ in range(random.randint(1, 10)):
        now += timedelta(minutes=30 * random.choice((0, 1, 2, 18, 60, 401, 1_600)))
        twin.until(now)
        kind, data = _random_event(random, now)
        if random.random() < 0.2:
            made += tasks(life.until(now))
            before, twin.rules = twin.rules, all_rules(random.randrange(2))
            life.rules, twin.armed = compiled(*twin.rules), twin.armed and twin.rules == before
        made += tasks(life.tell(kind, now, **data))
        twin.event(kind, now, life.record.profile)
        if random.random() < 0.5:
            now += timedelta(days=random.choice((0, 3, 60, 300)))
            made += tasks(life.until(now))
        if random.random() < 0.3:
            life.record = Record(CUSTOMER, life.record.encode())
    end = now + timedelta(800)
    made += tasks(life.until(end))
    twin.until(end)
    fired = [(one.time.astimezone(UTC), one.data.rule.id) for one in made]
    assert sorted(fired) == sorted((when.astimezone(UTC), name) for when, name in twin.fired)
    assert len({one.id for one in made}) == len(made)
