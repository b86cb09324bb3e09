"""Operations on values that compiled and interpreted expressions share: all total, none raises."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from msgspec import UNSET

from streams.expressions.nodes import Base

Number = int | Decimal
_ROUNDING = Context(prec=28, rounding=ROUND_HALF_EVEN)
_KINDS = {Base.TEXT: str, Base.NUMBER: int, Base.FLAG: bool}


def quotient(left: Number | None, right: Number | None) -> Decimal | None:
    """Unknown where a side is unknown or the divisor is zero."""
    if left is None or right is None or not right:
        return None
    return Decimal(left) / right


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


def attribute(attributes: dict[str, Any], name: str, base: Base) -> Any:
    """A bank's own field, unknown if it is of another type than asked for."""
    value = attributes.get(name)
    return value if base is Base.ATTRIBUTE or type(value) is _KINDS[base] else None


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
        case _:
            return str(value)
