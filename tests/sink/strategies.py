"""Any message of a struct's type, made from what the type itself says."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import reject
from hypothesis import strategies as st
from msgspec import inspect

from schemas.fields import CURRENCY, SENSITIVE

SECRET = "Mrs-Secret-Ω"
SECRET_DAY = "1911-11-11"
"""What every sensitive field holds; nothing else does."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 10_413_791_999_999  # the end of 2299
_small = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
currencies = st.from_regex(r"[A-Z]{3}", fullmatch=True)
days = st.dates(date(2000, 1, 1), date(2199, 12, 31)).map(str)
instants = st.integers(0, _LAST_MS).map(lambda ms: _EPOCH + timedelta(milliseconds=ms))


def of(struct: type[Any]) -> st.SearchStrategy[Any]:
    """Instances of a msgspec struct."""
    return _of(inspect.type_info(struct))


def _of(
    kind: inspect.Type, *, sensitive: bool = False, decimals: int = 4
) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.Metadata(extra_json_schema={"pattern": _}, extra=told):
            # Of a subject the pattern is checked elsewhere.
            return currencies if (told or {}).get(CURRENCY) else _small
        case inspect.Metadata(type=inner, extra=extra):
            told = extra or {}
            return _of(
                inner,
                sensitive=bool(told.get(SENSITIVE)),
                decimals=told.get("decimals", decimals),
            )
        case inspect.StructType():
            return _struct(kind)
        case inspect.StrType():
            return _string(kind, sensitive=sensitive)
        case inspect.DecimalType():
            return st.decimals(-(10**14) + 1, 10**14 - 1, places=decimals)
        case inspect.IntType(ge=least, le=most):
            return st.integers(least or 0, most or 2**31 - 1)
        case inspect.BoolType():
            return st.booleans()
    return _composed(kind)


def _composed(kind: inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.UnionType(types=types):
            return st.one_of(*map(_of, types))
        case inspect.ListType(item_type=item):
            return st.lists(_of(item), max_size=3)
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(_of(key), _of(value), max_size=3)
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.DateTimeType():
            return instants
        case inspect.NoneType():
            return st.none()
        case inspect.AnyType():  # an attribute that the bank adds
            return st.sampled_from([SECRET, [SECRET], {"deep": SECRET}, None])
    raise NotImplementedError(kind)


def _struct(kind: inspect.StructType) -> st.SearchStrategy[Any]:
    needed = {f.name: _of(f.type) for f in kind.fields if f.required}
    optional = {f.name: _of(f.type) for f in kind.fields if not f.required}

    def make(found: dict[str, Any]) -> Any:
        try:
            return kind.cls(**found)
        except ValueError:  # fields that do not go together, such as a relation to oneself
            reject()

    return st.fixed_dictionaries(needed, optional=optional).map(make)


def _string(kind: inspect.StrType, *, sensitive: bool) -> st.SearchStrategy[str]:
    if kind.pattern and r"\d{4}-" in kind.pattern:
        return st.just(SECRET_DAY) if sensitive else days
    if sensitive:
        return st.just(SECRET)
    if kind.pattern:
        return st.from_regex(r"\d{4}", fullmatch=True) if "d{4}" in kind.pattern else _small
    least, most = kind.min_length or 0, kind.max_length or 20
    return st.text(st.characters(exclude_categories=["Cs"]), min_size=least, max_size=min(most, 12))


def wide_money() -> st.SearchStrategy[Decimal]:
    """Sums of many amounts, of more digits than one amount has."""
    return st.decimals(-(10**20), 10**20, places=4)
