"""ClickHouse types with the Python values that clickhouse-driver takes and gives for them."""

from __future__ import annotations

import math
import struct
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis.strategies as st

# A type's name and a strategy for its values, as they come back.
Typed = tuple[str, st.SearchStrategy[Any]]

_text = st.text(max_size=12) | st.text(min_size=150, max_size=300)
_float32 = st.floats(width=32, allow_nan=False)
_zone = "Asia/Shanghai"


def _integers(bits: int, signed: bool) -> st.SearchStrategy[int]:
    low = -(1 << bits - 1) if signed else 0
    return st.integers(low, low + (1 << bits) - 1)


def _moments(zone: str, step: timedelta, last_year: int) -> st.SearchStrategy[datetime]:
    start = datetime(1970, 1, 2, tzinfo=UTC)
    count = (datetime(last_year, 1, 1, tzinfo=UTC) - start) // step
    return st.integers(0, count).map(lambda n: (start + n * step).astimezone(ZoneInfo(zone)))


def _fixed_strings(width: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=width)


def _decimals(digits: int, scale: int) -> st.SearchStrategy[Decimal]:
    limit = 10**digits - 1
    return st.integers(-limit, limit).map(lambda n: Decimal(n).scaleb(-scale))


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    **{f"UInt{bits}": _integers(bits, False) for bits in (8, 16, 32, 64, 128, 256)},
    **{f"Int{bits}": _integers(bits, True) for bits in (8, 16, 32, 64, 128, 256)},
    "Float32": _float32,
    "Float64": st.floats(allow_nan=False),
    "Decimal(9, 2)": _decimals(9, 2),
    "Decimal(18, 4)": _decimals(18, 4),
    "Decimal(38, 6)": _decimals(28, 6),  # clickhouse-driver keeps 28 digits
    "String": _text,
    "FixedString(7)": _fixed_strings(7),
    "DateTime64(3, 'UTC')": _moments("UTC", timedelta(milliseconds=1), 2200),
    f"DateTime('{_zone}')": _moments(_zone, timedelta(seconds=1), 2100),
    "Date": st.dates(date(1970, 1, 2), date(2149, 6, 6)),
    "Date32": st.dates(date(1900, 1, 1), date(2299, 12, 31)),
    "Bool": st.booleans(),
    "UUID": st.uuids(),
    "Enum8('calm' = -1, 'it\\'s' = 1, 'a, b)' = 2)": st.sampled_from(["calm", "it's", "a, b)"]),
    "Enum16('low' = -300, 'high' = 300)": st.sampled_from(["low", "high"]),
    "IPv4": st.ip_addresses(v=4),
    "IPv6": st.ip_addresses(v=6),
}
# clickhouse-driver splits a tuple's or map's types without looking at an enum's quotes.
_PLAIN = [name for name in SCALARS if not name.startswith("Enum")]
_DICTIONARY = ["String", "FixedString(7)", "UInt64", "Date"]


def _typed(name: str) -> Typed:
    return name, SCALARS[name]


def _nullable(inner: Typed) -> Typed:
    return f"Nullable({inner[0]})", st.none() | inner[1]


def _low_cardinality(inner: Typed) -> Typed:
    return f"LowCardinality({inner[0]})", inner[1]


def _array(inner: Typed) -> Typed:
    return f"Array({inner[0]})", st.lists(inner[1], max_size=4)


def _map(value: Typed) -> Typed:
    return f"Map(String, {value[0]})", st.dictionaries(_text, value[1], max_size=4)


def _tuple(parts: list[Typed]) -> Typed:
    names, values = zip(*parts, strict=True)
    return f"Tuple({', '.join(names)})", st.tuples(*values)


def _is_read_by_the_driver(typed: Typed) -> bool:
    """clickhouse-driver hands a DateTime64's scale on to a Decimal beside it, and fails."""
    return not ("DateTime64" in typed[0] and "Decimal" in typed[0])


def types() -> st.SearchStrategy[Typed]:
    """Any type that is spoken, nested up to three deep."""
    plain = st.sampled_from(_PLAIN).map(_typed)
    keys = st.sampled_from(_DICTIONARY).map(_typed)
    single = st.one_of(
        st.sampled_from(list(SCALARS)).map(_typed),
        plain.map(_nullable),
        keys.map(_low_cardinality),
        keys.map(_nullable).map(_low_cardinality),
    )
    inner = st.one_of(plain, plain.map(_nullable), keys.map(_low_cardinality))
    tuples = st.lists(inner, min_size=1, max_size=3).map(_tuple).filter(_is_read_by_the_driver)
    # An empty LowCardinality(Nullable) inside a map is written wrongly by clickhouse-driver.
    maps = st.one_of(plain, plain.map(_nullable)).map(_map)
    arrays = st.one_of(single, tuples, maps).map(_array)
    return st.one_of(single, tuples, maps, arrays, arrays.map(_array))


def columns(max_rows: int = 5) -> st.SearchStrategy[tuple[str, list[Any]]]:
    """A type and a column of its values."""

    def fill(typed: Typed) -> st.SearchStrategy[tuple[str, list[Any]]]:
        name, values = typed
        return st.tuples(st.just(name), st.lists(values, min_size=1, max_size=max_rows))

    return types().flatmap(fill)


def plain_value(value: Any) -> Any:
    """A value in a form that compares: what the driver gives back for what was sent."""
    conversions: dict[type, Callable[[Any], Any]] = {
        list: lambda v: [plain_value(x) for x in v],
        tuple: lambda v: tuple(plain_value(x) for x in v),
        dict: lambda v: {k: plain_value(x) for k, x in v.items()},
        datetime: lambda v: (v.astimezone(UTC), v.utcoffset()),
        IPv4Address: str,
        IPv6Address: str,
        uuid.UUID: str,
        float: lambda v: struct.pack("<d", v) if not math.isnan(v) else "nan",
    }
    convert = conversions.get(type(value))
    return convert(value) if convert else value
