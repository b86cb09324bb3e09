"""The portrait that rows of ClickHouse make."""

from datetime import UTC

from agents.portrait.from_clickhouse import clickhouse_portrait
from sinks.clickhouse.customer import FoundCustomer, Shown
from streams.attributes import NONE_DECLARED
from streams.portrait.parts import Facts, Portrait
from tests.portrait.story import CUSTOMER


def drawn(summary: Shown) -> Portrait:
    found = FoundCustomer(summary, [], [], [], {"events": 0})
    return clickhouse_portrait(CUSTOMER, found, UTC, personal=False, declared=NONE_DECLARED)


def test_relations_tell_who_named_whom() -> None:
    profile = drawn({"relations": ["X1 <parent", "X2 business partner"]}).part("profile")
    assert isinstance(profile, Facts)
    assert [fact.value for fact in profile.facts] == [
        ("X1 names this customer as parent", "X2 business partner")
    ]
