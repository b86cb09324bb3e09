"""What `vipcare events check` warns of: taken by the worker, and hardly meant."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from agents.event_file import Line, read_lines
from schemas.envelope import to_millis
from streams.context import CoreSettings
from tests.schemas.examples import EVENT_EXAMPLES, FACT_EXAMPLES

NOW = to_millis(datetime(2026, 11, 28, tzinfo=UTC))


def judge(example: dict[str, Any]) -> Line:
    (line,) = read_lines([json.dumps(example).encode()], CoreSettings(partitions=4), NOW)
    assert not line.problem
    return line


def with_data(kind: str, **data: Any) -> dict[str, Any]:
    """The fullest example of a type, with other fields; None leaves one out."""
    examples = [one for one in EVENT_EXAMPLES if one["type"] == kind]
    example = max(examples, key=lambda one: len(one["data"]))
    merged = {**example["data"], **data}
    return example | {"data": {name: value for name, value in merged.items() if value is not None}}


@pytest.mark.parametrize("example", [*EVENT_EXAMPLES, *FACT_EXAMPLES], ids=lambda one: one["type"])
def test_no_example_is_odd(example: dict[str, Any]) -> None:
    assert judge(example).odd == ()


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("benefit.used", {"currency": None}, "cost has no currency: none but base_cost counts"),
        ("outcome.recorded", {"currency": None}, "amount has no currency: none but base_amount"),
        ("deposit.placed", {"principal": "-1000000"}, "principal is below zero"),
        ("deposit.placed", {"matures_on": "1899-12-31"}, "matures_on is before 1900"),
        ("deposit.placed", {"matures_on": "2026-01-01"}, "matures_on is before the day of the"),
        ("transfer.completed", {"amount": "-5.00"}, "amount is below zero"),
        ("card.limit_changed", {"limit": "-5.00"}, "limit is below zero"),
        ("survey.answered", {"score": 99, "best": 10}, "score is not between 0 and best"),
        ("card.settled", {"country": "??"}, "country is no country of ISO 3166-1"),
        ("card.settled", {"currency": "ABC"}, "currency is no currency of ISO 4217"),
        ("customer.updated", {"birthday": "2030-01-01"}, "birthday is in the future"),
        ("customer.updated", {"opened_on": "9999-12-31"}, "opened_on is in the future"),
        (
            "customer.updated",
            {"family": [{"relation": "child", "birthday": "2030-01-01"}]},
            "a birthday in the family is in the future",
        ),
        (
            "customer.updated",
            {"consents": {"Service": {"SMS": False}, "promotion": {}}},
            "consents has a purpose that no rule asks for, unlike marketing, service",
        ),
        (
            "customer.updated",
            {"consents": {"Service": {"SMS": False, "email": False}}},
            "consents has a channel that no rule asks for, unlike app, mail,",
        ),
    ],
)
def test_what_hardly_anyone_means_is_warned_of(kind: str, data: dict[str, Any], said: str) -> None:
    odd = judge(with_data(kind, **data)).odd
    assert any(what.startswith(f"{kind}: {said}") for what in odd)


def test_a_debt_a_credit_and_a_negative_rate_are_meant() -> None:
    assert not judge(with_data("balance.reported", balance="-5", base_balance="-5")).odd
    assert not judge(with_data("statement.issued", amount_due="-35.20")).odd
    assert not judge(with_data("deposit.placed", rate="-0.005")).odd
