"""What is checked in a glance while decoding is what the slow way says."""

import re
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import CustomerId, is_customer_id
from schemas.fields import MONEY_DECIMALS, check_decimal, is_ordinary

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
