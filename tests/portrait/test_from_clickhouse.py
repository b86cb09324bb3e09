"""The portrait that rows of ClickHouse make."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from agents.portrait.from_clickhouse import clickhouse_portrait
from agents.terminal import in_language
from schemas.attributes import AttributeDefinition
from sinks.clickhouse.customer import FoundCustomer, Shown
from streams.attributes import NONE_DECLARED, Attributes
from streams.portrait.parts import Amount, Facts, Portrait, Table
from tests.portrait.story import CUSTOMER, TODAY


def drawn(summary: Shown) -> Portrait:
    found = FoundCustomer(summary, [], [], [], [], {"events": 0})
    return clickhouse_portrait(CUSTOMER, found, UTC, TODAY, personal=False, declared=NONE_DECLARED)


def test_relations_tell_who_named_whom() -> None:
    relations = drawn({"relations": ["X1 <parent", "X2 business partner"]}).part("relations")
    assert isinstance(relations, Table)
    assert relations.rows == (("X1", "names this customer as parent"), ("X2", "business partner"))


def test_a_temporary_limit_that_is_over_gives_way() -> None:
    details = [
        (name, "", "CNY", Decimal(9), (TODAY - timedelta(days=days)).isoformat(), None, None)
        for name, days in (("holds", 0), ("over", 1), ("unknown", 1))
    ]
    standing = {"holds": Decimal(5), "over": Decimal(5)}
    found = drawn({"card_details": details, "standing_limits": standing}).part("cards")
    assert isinstance(found, Table)
    assert [(row[0], row[2], row[3]) for row in found.rows] == [
        ("holds", Amount(Decimal(9), "CNY"), TODAY),
        ("over", Amount(Decimal(5), "CNY"), None),
        ("unknown", None, None),
    ]


def test_a_list_is_no_json_text_and_a_category_has_its_name() -> None:
    title = {"zh": "俱乐部", "en": "Clubs"}
    clubs = {"name": "clubs", "type": "texts", "title": title, "sensitive": False}
    declared = Attributes([AttributeDefinition.model_validate(clubs)])
    summary = {"attributes": {"clubs": '["golf","sailing"]'}, "categories": ["5812", "0000"]}
    found = FoundCustomer(summary, [], [], [], [], {"events": 0})
    told = clickhouse_portrait(CUSTOMER, found, UTC, TODAY, personal=False, declared=declared)
    parts = [part for part in told.parts if isinstance(part, Facts)]
    shown = {fact.name: fact.value for part in parts for fact in part.facts}
    assert shown["clubs"] == ("golf", "sailing")
    assert shown["three_months_categories"] == ("restaurants", "0000")


def test_what_fell_off_the_record_is_told() -> None:
    told = drawn({"dropped": {"accounts": 2, "tags": 9}}).part("clickhouse")
    assert isinstance(told, Facts)
    assert told.facts[-1].value == {"tags": 9, "accounts": 2}


def test_what_rules_did_by_themselves() -> None:
    at = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
    same = {"time": at, "rule_id": "golf-reader"}
    actions = [
        {"action": "note", "name": "golf", "text": {"en": "5 pages", "zh": "5 页"}, **same},
        {"action": "tag", "name": "golf", "text": {}, **same},
        {"action": "greeting", "name": "birthday-golf", "text": {"zh": "生日快乐"}, **same},
    ]
    found = FoundCustomer({}, [], [], actions, [], {"events": 0})
    told = clickhouse_portrait(CUSTOMER, found, UTC, TODAY, personal=False, declared=NONE_DECLARED)
    table = told.part("actions")
    assert isinstance(table, Table)
    assert [row[1:] for row in table.rows] == [
        ("note", "golf", in_language({"en": "5 pages", "zh": "5 页"}), "golf-reader"),
        ("tag", "golf", None, "golf-reader"),
        ("greeting", "birthday-golf", "生日快乐", "golf-reader"),
    ]
