"""Operations on values that compiled and interpreted expressions share: all total, none raises."""

import re
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any

from msgspec import UNSET

from schemas.record import Record
from streams.expressions.nodes import Base, Type

Number = int | Decimal
_DIGITS = 28
"""Before the point and after it. A rule can multiply what it multiplied, so that numbers would have
twice the digits each time."""
LIMIT = 10**_DIGITS
HIGH, LOW = Decimal(LIMIT), Decimal(-LIMIT)
_ZERO = Decimal(0)
_ROUNDING = Context(prec=28, rounding=ROUND_HALF_EVEN)
_KINDS = {Base.TEXT: str, Base.NUMBER: int, Base.FLAG: bool, Base.TEXTS: list}
_DAY = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\Z")


def quotient(left: Number | None, right: Number | None) -> Decimal | None:
    """Unknown where a side is unknown, the divisor is zero, or the quotient is LIMIT or more."""
    if left is None or right is None or not right:
        return None
    return _sized(Decimal(left) / right)


def product(left: Number | None, right: Number | None) -> Number | None:
    """Unknown where a side is unknown, or where it is LIMIT or more."""
    if left is None or right is None:
        return None
    found = left * right
    return within(found) if isinstance(found, int) else _sized(found)


def total(found: Iterable[Number]) -> Number | None:
    """Their sum, 0 of none; unknown where it is LIMIT or more."""
    whole = sum(found)
    return within(whole) if isinstance(whole, int) else _sized(whole)


def within(value: Number) -> Number | None:
    """What is LIMIT or more, either way, is unknown."""
    return value if -LIMIT < value < LIMIT else None


def _sized(value: Decimal) -> Decimal | None:
    """As `within`, and what would begin after the last digit is zero."""
    size = value.adjusted()
    if -_DIGITS <= size < _DIGITS:
        return value
    return None if value and size > 0 else _ZERO


def rounded(value: Number | None, decimals: int) -> Number | None:
    """Half to even. To no decimals it is an int; what has 28 digits already stays as it is."""
    if value is None or isinstance(value, int):
        return value
    if decimals == 0:
        return int(value.to_integral_value(ROUND_HALF_EVEN))
    if value.adjusted() + decimals >= _ROUNDING.prec - 1:
        return value
    return value.quantize(Decimal(1).scaleb(-decimals), context=_ROUNDING)


def present(value: Any) -> Any:
    """A field of a patch: UNSET counts as unknown."""
    return None if value is UNSET else value


def score_points(record: Record, name: str) -> int | None:
    score = record.profile.scores.get(name)
    return None if score is None else score.points


def attribute_reader(kind: Type) -> Callable[[dict[str, Any], str], Any]:
    """How a bank's own field is read: unknown if it is of another type than asked for."""
    if kind.decimals:
        return _decimal
    if kind.base is Base.DAY:
        return _day
    wanted = _KINDS[kind.base]

    def read(attributes: dict[str, Any], name: str) -> Any:
        value = attributes.get(name)
        return value if type(value) is wanted else None

    return read


def _decimal(attributes: dict[str, Any], name: str) -> Decimal | None:
    """A record keeps decimals as they came."""
    value = attributes.get(name)
    if not isinstance(value, str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _day(attributes: dict[str, Any], name: str) -> str | None:
    value = attributes.get(name)
    return value if isinstance(value, str) and _DAY.match(value) else None


def render(value: object) -> str:
    """A value as an effect shows it: decimals without idle zeros, true or false, – if unknown."""
    match value:
        case None:
            return "–"
        case bool():
            return "true" if value else "false"
        case Decimal():
            text = f"{value:f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        case list():
            return ", ".join(value)
        case _:
            return str(value)
