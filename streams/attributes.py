"""The attributes that a bank declared: which values they take, and who may see them."""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from schemas.attributes import AttributeDefinition
from schemas.fields import MONEY_DECIMALS, RATE_DECIMALS, check_day, check_decimal

MAX_BYTES = 250
"""Of a text, or of all texts of a list, in UTF-8."""
MAX_TEXTS = 20
MAX_WHOLE = 2**53
_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")


class WrongAttributeError(ValueError):
    """An attribute has a value of another type than declared. Names it, shows no value."""


class Attributes:
    """The declared attributes, by name. Immutable."""

    __slots__ = ("_checks", "declared", "public")

    def __init__(self, definitions: Iterable[AttributeDefinition] = ()) -> None:
        self.declared: Mapping[str, AttributeDefinition] = {one.name: one for one in definitions}
        self.public = frozenset(one.name for one in self.declared.values() if not one.sensitive)
        """Those that are not sensitive."""
        self._checks = {name: _CHECKS[one.type] for name, one in self.declared.items()}

    def __reduce__(self) -> tuple[type["Attributes"], tuple[tuple[AttributeDefinition, ...]]]:
        """For another process: made anew of what is declared."""
        return Attributes, (tuple(self.declared.values()),)

    def conform(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What a patch says of declared attributes; others are left out.

        Raises WrongAttributeError.
        """
        checks = self._checks
        kept = {name: value for name, value in given.items() if name in checks}
        for name, value in kept.items():
            if value is not None and (problem := checks[name](value)):
                raise WrongAttributeError(
                    f"attribute {name} is no {self.declared[name].type}: {problem}"
                )
        return kept

    def fits(self, name: str, value: Any) -> bool:
        """Whether an attribute is declared and a value is of its type. A record may hold what was
        declared otherwise when it came."""
        check = self._checks.get(name)
        return check is not None and not check(value)

    def public_texts(self, held: Mapping[str, Any]) -> dict[str, str]:
        """What of a record's attributes everybody may see, as text, in the order of names."""
        names = sorted(name for name in held if name in self.public)
        return {name: as_text(held[name]) for name in names if self.fits(name, held[name])}


NONE_DECLARED = Attributes()


def as_text(value: Any) -> str:
    """A value as text: numbers plainly, true or false, a list as JSON."""
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return msgspec.json.encode(value).decode()
        case _:
            return str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return "a JSON string was expected"
    return _too_long(value)


def _number(value: Any) -> str:
    if type(value) is not int:
        return "a whole JSON number was expected"
    return "" if -MAX_WHOLE <= value <= MAX_WHOLE else "it is too large"


def _decimal(value: Any, decimals: int) -> str:
    if not isinstance(value, str):
        return "a JSON string such as '1250.50' was expected"
    if not _PLAIN_NUMBER.fullmatch(value):
        return "it is not a plain number"
    try:
        check_decimal("it", Decimal(value), decimals)
    except ValueError as error:
        return str(error)
    return ""


def _date(value: Any) -> str:
    if not isinstance(value, str) or len(value) != len("YYYY-MM-DD"):
        return "a day as YYYY-MM-DD was expected"
    try:
        check_day("it", value)
    except ValueError as error:
        return str(error)
    return ""


def _boolean(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false was expected"


def _texts(value: Any) -> str:
    if not isinstance(value, list):
        return "a list of JSON strings was expected"
    if len(value) > MAX_TEXTS:
        return f"it has more than {MAX_TEXTS} texts"
    if not all(isinstance(one, str) for one in value):
        return "a list of JSON strings was expected"
    return _too_long("".join(value))


def _too_long(text: str) -> str:
    length = len(text.encode(errors="surrogatepass"))
    return f"it has more than {MAX_BYTES} bytes" if length > MAX_BYTES else ""


_CHECKS: Mapping[str, Callable[[Any], str]] = {
    "text": _text,
    "number": _number,
    "decimal": lambda value: _decimal(value, RATE_DECIMALS),
    "amount": lambda value: _decimal(value, MONEY_DECIMALS),
    "date": _date,
    "boolean": _boolean,
    "texts": _texts,
}
"""Type → what is wrong with a value; empty if nothing is."""
