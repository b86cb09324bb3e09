"""Declared attributes: what they take, what is kept out, and who sees them; by the pure core."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.attributes import AttributeDefinition, AttributeType
from schemas.dead_letters import Reason
from schemas.record import Record
from schemas.rule_parts import Text
from schemas.rules import RuleDefinition
from streams.attributes import Attributes, WrongAttributeError, as_text
from streams.chunk import apply_chunk
from streams.context import Context, CoreSettings
from streams.inputs import Raw
from streams.intake import Entry, read
from streams.portrait import portrait
from streams.portrait.parts import Amount, Facts
from streams.rules.compiler import compile_rules
from tests.core.strategies import NOW, message
from tests.portrait.story import TODAY, ZONE
from tests.rules.maker import DECLARED as OF_EACH_TYPE

TITLE = Text(en="Wealth", zh="财富")
DECLARED = Attributes(
    [
        *OF_EACH_TYPE.declared.values(),
        AttributeDefinition(name="wealth", type="text", title=TITLE, sensitive=True),
    ]
)
SETTINGS = CoreSettings(partitions=1, attributes=DECLARED)
RIGHT: dict[AttributeType, list[Any]] = {
    "text": ["", "founder", "客" * 83],
    "number": [0, -3, 2**53],
    "decimal": ["0", "-1.25", "0.12345678", "99999999999999.99999999"],
    "amount": ["1250.50", "0.1234"],
    "date": ["2026-02-28", "0001-01-01"],
    "boolean": [True, False],
    "texts": [[], ["golf", "游艇"], ["x"] * 20, ["x" * 125] * 2],
}
WRONG: dict[AttributeType, list[Any]] = {
    "text": [1, True, ["a"], {}, "x" * 251, "客" * 84, 1.5],
    "number": ["1", 1.0, True, 2**53 + 1, []],
    "decimal": [1, 1.5, "1e3", " 1", "1_0", "NaN", "٣", "1.123456789", "1" * 15, "", "."],
    "amount": ["1.12345", 10, "-", "+1"],
    "date": ["2026-02-30", "2026-2-3", "20260101", 20260101, "2026-01-01T00:00:00Z"],
    "boolean": [0, 1, "yes", []],
    "texts": ["golf", [1], ["x" * 126] * 2, ["x"] * 21, {"a": 1}, [["a"]]],
}


def updated(attributes: Mapping[str, Any], at: int = NOW, event_id: str = "1") -> Raw:
    value = message(
        "customer.updated",
        {"tier": "gold", "attributes": attributes},
        at=at,
        customer="C1",
        event_id=event_id,
    )
    return Raw("bank.core", 0, int(event_id), b"C1", value)


def applied(*raws: Raw, rules: list[RuleDefinition] | None = None) -> Any:
    context = Context(NOW, compile_rules(rules or [], attributes=DECLARED), SETTINGS)
    return apply_chunk([read(raw, SETTINGS) for raw in raws], Record, context)


@pytest.mark.parametrize(("kind", "value"), [(k, v) for k, vs in RIGHT.items() for v in vs])
def test_a_right_value_is_in_the_record_as_it_came(kind: AttributeType, value: Any) -> None:
    held = applied(updated({kind: value})).records["C1"].profile
    assert held.attributes == {kind: value}
    assert type(held.attributes[kind]) is type(value)


@pytest.mark.parametrize(("kind", "value"), [(k, v) for k, vs in WRONG.items() for v in vs])
def test_a_wrong_value_is_a_dead_letter_that_names_the_attribute(
    kind: AttributeType, value: Any
) -> None:
    (letter,) = applied(updated({"text": "well", kind: value})).dead_letters
    assert letter.reason is Reason.BROKEN
    assert letter.detail.startswith(f"attribute {kind} is no {kind}: ")
    assert len(str(value)) < 4 or str(value) not in letter.detail


def test_the_whole_event_is_refused_so_nothing_of_it_is_half_applied() -> None:
    outcome = applied(updated({"number": "many", "text": "founder"}))
    assert not outcome.records
    assert outcome.counts == {"dead:broken": 1}


def test_what_nobody_declared_is_left_out_and_counted_and_the_rest_stands() -> None:
    outcome = applied(updated({"shoe_size": {"eu": [44.5]}, "more": None, "text": "founder"}))
    profile = outcome.records["C1"].profile
    assert profile.basics.tier == "gold"
    assert profile.attributes == {"text": "founder"}
    assert outcome.counts["undeclared"] == 2
    assert "shoe_size" not in json.dumps(profile.written)


def test_an_event_without_undeclared_attributes_is_taken_as_it_is() -> None:
    entry = read(updated({"text": "founder"}), SETTINGS)
    assert isinstance(entry, Entry)
    assert entry.undeclared == 0


patches = st.fixed_dictionaries(
    {}, optional={k: st.one_of(st.none(), st.sampled_from(v)) for k, v in RIGHT.items()}
)


@given(st.lists(st.tuples(patches, st.integers(0, 5)), max_size=8))
def test_the_last_writer_by_event_time_wins_attribute_by_attribute(
    arrivals: list[tuple[dict[str, Any], int]],
) -> None:
    raws = [updated(patch, NOW - 10 + at, str(n)) for n, (patch, at) in enumerate(arrivals)]
    expected: dict[str, Any] = {}
    for patch, _ in sorted(arrivals, key=lambda one: one[1]):
        expected |= patch
    records = applied(*raws).records
    held = records["C1"].profile.attributes if records else {}
    assert held == {name: value for name, value in expected.items() if value is not None}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda one: st.lists(one, max_size=2) | st.dictionaries(st.text(max_size=2), one, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*RIGHT, "x"]), anything, max_size=4))
def test_conform_keeps_what_fits_or_names_what_does_not(given_: dict[str, Any]) -> None:
    wrong = [name for name, value in given_.items() if name != "x" and value is not None]
    wrong = [name for name in wrong if not DECLARED.fits(name, given_[name])]
    if wrong:
        with pytest.raises(WrongAttributeError, match=f"attribute ({'|'.join(wrong)}) is no "):
            DECLARED.conform(given_)
        return
    kept = DECLARED.conform(given_)
    assert kept == {name: value for name, value in given_.items() if name != "x"}
    assert all(value is None or DECLARED.fits(name, value) for name, value in kept.items())


def test_texts_that_tell_a_value() -> None:
    told = [as_text(value) for value in ("a", 3, True, ["a", "高尔夫"])]
    assert told == ["a", "3", "true", '["a","高尔夫"]']


def test_a_rule_sees_attributes_by_their_types_and_shows_them() -> None:
    text = {"en": "{attributes.amount} {attributes.texts}", "zh": "{attributes.text}"}
    rule = RuleDefinition.model_validate(
        {
            "id": "own-fields",
            "version": 1,
            "title": {"en": "A", "zh": "甲"},
            "kind": "care",
            "owner": "tests",
            "status": "live",
            "on": "customer.updated",
            "if": "attributes.amount * 2 > 1000.5 and 'golf' in attributes.texts "
            "and attributes.date >= '2026-01-01' and attributes.boolean and attributes.number == 2",
            "then": {"alert": {"text": text}},
        }
    )
    told = {
        "amount": "500.26",
        "texts": ["tea", "golf"],
        "date": "2026-05-01",
        "boolean": True,
        "number": 2,
        "text": "创始人",
    }
    outcome = applied(updated(told), rules=[rule])
    (alert,) = [one for one in outcome.effects if type(one).__name__ == "Alert"]
    assert alert.data.text == {"en": "500.26 tea, golf", "zh": "创始人"}
    less = applied(updated(told | {"amount": "500.25"}), rules=[rule])
    assert not less.counts["fired:own-fields"]


def facts(*, personal: bool, declared: Attributes = DECLARED) -> dict[str, object]:
    told = {"amount": "1250.50", "wealth": "inherited", "texts": ["golf"]}
    record = applied(updated(told)).records["C1"]
    part = portrait(record, ZONE, TODAY, personal=personal, declared=declared).part("attributes")
    assert isinstance(part, Facts)
    return {fact.name: fact.value for fact in part.facts}


def test_a_sensitive_one_is_masked_unless_asked_for() -> None:
    assert facts(personal=False)["wealth"] == "***"
    assert facts(personal=True)["wealth"] == "inherited"


def test_one_that_is_not_declared_any_longer_is_masked_too() -> None:
    fewer = Attributes(one for one in DECLARED.declared.values() if one.name != "texts")
    shown = facts(personal=False, declared=fewer)
    assert shown["texts"] == "***"
    assert isinstance(shown["amount"], Amount)
