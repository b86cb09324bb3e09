"""What is checked in a glance while decoding is what the slow way says."""

import json
import re
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.decode import BrokenEventError, decode_event, decode_fact
from schemas.envelope import CustomerId, is_customer_id
from schemas.fields import (
    COLUMN_DIGITS,
    MONEY_DECIMALS,
    RATE_DECIMALS,
    check_currency,
    check_decimal,
    is_ordinary,
)
from tests.schemas.examples import EVENT_EXAMPLES, FACT_EXAMPLES

_decode = msgspec.json.Decoder(CustomerId).decode


@given(st.text(max_size=70) | st.from_regex(re.compile(r"[!-~]{0,66}"), fullmatch=True))
def test_a_subject_is_what_the_pattern_of_customer_ids_takes(subject: str) -> None:
    try:
        _decode(msgspec.json.encode(subject))
        taken = True
    except msgspec.ValidationError:
        taken = False
    assert is_customer_id(subject) is taken


@given(st.decimals() | st.decimals(places=2, min_value=-(10**16), max_value=10**16))
def test_an_ordinary_amount_is_one_that_the_whole_check_takes(value: Decimal) -> None:
    if is_ordinary(value):
        check_decimal("amount", value, MONEY_DECIMALS)
        check_decimal("rate", value, RATE_DECIMALS, COLUMN_DIGITS - RATE_DECIMALS)


@given(st.text(min_size=3, max_size=3) | st.text("ABZabz09", min_size=3, max_size=3))
def test_a_currency_is_three_capital_letters(text: str) -> None:
    try:
        check_currency("currency", text)
        taken = True
    except ValueError:
        taken = False
    assert taken is bool(re.fullmatch("[A-Z]{3}", text))


@pytest.mark.parametrize(
    "example",
    [one for one in EVENT_EXAMPLES if "currency" in one["data"]],
    ids=lambda one: one["type"],
)
def test_a_currency_in_small_letters_is_refused(example: dict[str, Any]) -> None:
    """No rate would be found for it: it looked like a rate that was missing."""
    small = example | {"data": example["data"] | {"currency": "usd"}}
    with pytest.raises(BrokenEventError, match="currency is not three capital letters"):
        decode_event(json.dumps(small).encode())


def test_a_rate_of_a_currency_in_small_letters_is_refused() -> None:
    (rate,) = (one for one in FACT_EXAMPLES if one["type"] == "exchange_rate.set")
    small = rate | {"subject": "exchange_rate:usd", "data": rate["data"] | {"exchange_rate": "usd"}}
    with pytest.raises(BrokenEventError, match="exchange_rate is not three capital letters"):
        decode_fact(json.dumps(small).encode())


@pytest.mark.parametrize("value", ["10000000000", "99999999999.00", "99999999999.0"])
def test_a_rate_that_no_column_of_clickhouse_holds_is_refused(value: str) -> None:
    (rate,) = (one for one in FACT_EXAMPLES if one["type"] == "exchange_rate.set")
    large = rate | {"data": rate["data"] | {"rate": value}}
    with pytest.raises(BrokenEventError, match="rate has more than 10 digits before the point"):
        decode_fact(json.dumps(large).encode())
    highest = rate | {"data": rate["data"] | {"rate": "9999999999.99999999"}}
    decode_fact(json.dumps(highest).encode())
