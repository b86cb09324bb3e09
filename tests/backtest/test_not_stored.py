"""Which rules miss something in ClickHouse, where nothing identifies a person."""

from typing import Any

import pytest

from agents.backtest.not_stored import BIRTHDAYS, OWN, not_stored
from agents.core import core_settings
from config.load import load_settings
from schemas.rules import RuleDefinition
from streams.context import CoreSettings
from tests.lane.rules import rule
from tests.rules.maker import DECLARED
from tests.shipped import shipped_rules

CORE = CoreSettings(partitions=1, attributes=DECLARED)


@pytest.mark.parametrize(
    ("changes", "looks"),
    [
        ({}, []),
        ({"if": "any(family, where=relation == 'child')"}, []),
        ({"if": "any(family, where=age >= 18)"}, [BIRTHDAYS]),
        ({"if": "attributes.number > 3"}, [OWN]),
        ({"let": {"n": "attributes.number + 1"}}, [OWN]),
        ({"if": "any(family, where=age >= 18) and attributes.boolean"}, [BIRTHDAYS, OWN]),
        ({"on": "customer.updated", "wait": {"days": 1, "before": "attributes.date"}}, [OWN]),
    ],
)
def test_what_a_rule_looks_at(changes: dict[str, Any], looks: list[str]) -> None:
    text = {"task": {"text": {"en": "A", "zh": "甲"}}}
    made = RuleDefinition.model_validate(rule("r", **{"if": "true", "then": text, **changes}))
    assert not_stored([made], CORE).get("r", []) == looks


def test_those_that_ship() -> None:
    named = ("birthday-ahead", "birthday-today", "child-turns-eighteen")
    core = core_settings(load_settings())
    assert not_stored(shipped_rules(), core) == {one: [BIRTHDAYS] for one in named}
