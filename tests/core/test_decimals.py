"""Amounts that fit pass; what does not fit is refused, by its written digits."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.fields import MONEY_DECIMALS, MONEY_DIGITS, check_decimal


def fits(value: Decimal) -> bool:
    """Written out, the digits on both sides of the point are few enough."""
    if not value.is_finite():
        return False
    if value == 0:
        return -MONEY_DECIMALS <= value.adjusted() < MONEY_DIGITS
    whole, _, fraction = f"{abs(value):f}".partition(".")
    return len(whole.lstrip("0")) <= MONEY_DIGITS and len(fraction.rstrip("0")) <= MONEY_DECIMALS


@given(
    st.one_of(
        st.decimals(),
        st.decimals(min_value=-(10**15), max_value=10**15, places=5),
        st.builds(
            lambda digits, exponent: Decimal(digits).scaleb(exponent),
            st.integers(-(10**15), 10**15),
            st.integers(-40, 20),
        ),
    )
)
def test_a_decimal_is_taken_when_its_digits_fit(value: Decimal) -> None:
    if fits(value):
        check_decimal("amount", value, MONEY_DECIMALS)
    else:
        with pytest.raises(ValueError, match="amount"):
            check_decimal("amount", value, MONEY_DECIMALS)


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "1e999999", "1e-999999"])
def test_strange_numbers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        check_decimal("amount", Decimal(text), MONEY_DECIMALS)
