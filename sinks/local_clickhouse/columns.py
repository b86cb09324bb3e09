"""How long a column is: the protocol gives rows and types, but no length in bytes.

A block from a client is read over, type by type, to find where it ends. Layouts are those of
ClickHouse's Native format (src/DataTypes/Serializations) before custom serialization.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from sinks.local_clickhouse.errors import NOT_IMPLEMENTED, ProtocolError, ServerError
from sinks.local_clickhouse.type_names import TypeName, parse_type
from sinks.local_clickhouse.wire import Reader

_WIDTHS = {
    **dict.fromkeys(("UInt8", "Int8", "Bool", "Enum8", "Nothing"), 1),
    **dict.fromkeys(("UInt16", "Int16", "Enum16", "Date", "BFloat16"), 2),
    **dict.fromkeys(("UInt32", "Int32", "Float32", "Date32", "DateTime", "IPv4", "Decimal32"), 4),
    **dict.fromkeys(("UInt64", "Int64", "Float64", "DateTime64", "Decimal64"), 8),
    **dict.fromkeys(("UInt128", "Int128", "UUID", "IPv6", "Decimal128"), 16),
    **dict.fromkeys(("UInt256", "Int256", "Decimal256"), 32),
    **dict.fromkeys((f"Interval{unit}" for unit in ("Second", "Minute", "Hour", "Day")), 8),
    **dict.fromkeys((f"Interval{unit}" for unit in ("Week", "Month", "Quarter", "Year")), 8),
}
_HAS_OWN_KEYS = 1 << 9
_NEEDS_GLOBAL_DICTIONARY = 1 << 8


class Layout(Protocol):
    """How a type lies in a block: a prefix once, then the rows."""

    def prefix(self, reader: Reader) -> None:
        """Reads over what comes before the rows."""

    def rows(self, reader: Reader, count: int) -> None:
        """Reads over `count` rows."""


class Fixed:
    """Rows of `width` bytes each."""

    def __init__(self, width: int) -> None:
        self.width = width

    def prefix(self, reader: Reader) -> None:
        """Nothing."""

    def rows(self, reader: Reader, count: int) -> None:
        """`count` times the width."""
        reader.skip(count * self.width)


class Strings:
    """Rows of a length and bytes."""

    def prefix(self, reader: Reader) -> None:
        """Nothing."""

    def rows(self, reader: Reader, count: int) -> None:
        """`count` strings."""
        reader.skip_strings(count)


class Sequence:
    """Several layouts, each with all rows: a tuple's parts, or a null map and its values."""

    def __init__(self, *parts: Layout) -> None:
        self.parts = parts

    def prefix(self, reader: Reader) -> None:
        """All prefixes first."""
        for part in self.parts:
            part.prefix(reader)

    def rows(self, reader: Reader, count: int) -> None:
        """Then all rows of each."""
        for part in self.parts:
            part.rows(reader, count)


class Arrays:
    """Ends of the rows as running totals, then the items of all rows."""

    def __init__(self, item: Layout) -> None:
        self.item = item

    def prefix(self, reader: Reader) -> None:
        """The items' prefix."""
        self.item.prefix(reader)

    def rows(self, reader: Reader, count: int) -> None:
        """The last running total is the number of items."""
        if count:
            reader.skip((count - 1) * 8)
            self.item.rows(reader, reader.unsigned(8))


class LowCardinality:
    """A version as prefix; then runs of: flags with the key width, a dictionary, keys."""

    def __init__(self, key: Layout) -> None:
        self.key = key

    def prefix(self, reader: Reader) -> None:
        """The version, always 1."""
        if reader.unsigned(8) != 1:
            raise ProtocolError("a LowCardinality column of an unknown version")

    def rows(self, reader: Reader, count: int) -> None:
        """Nothing at all when there are no rows."""
        while count:
            flags = reader.unsigned(8)
            if flags & 0xFF > 3 or flags & _NEEDS_GLOBAL_DICTIONARY or not flags & _HAS_OWN_KEYS:
                raise ProtocolError("a LowCardinality column with flags that are not spoken")
            self.key.rows(reader, reader.unsigned(8))
            keys = reader.unsigned(8)
            if not 0 < keys <= count:
                raise ProtocolError("a LowCardinality column with a wrong number of keys")
            reader.skip(keys << (flags & 0xFF))
            count -= keys


@lru_cache(maxsize=512)
def layout_of(type_name: str) -> Layout:
    """The layout of a type. Raises `ServerError` (48) for a type that is not spoken here."""
    return _layout(parse_type(type_name))


def _layout(tree: TypeName) -> Layout:
    if (builder := _NESTED.get(tree.name)) is not None:
        if not tree.args:
            raise ProtocolError(f"{tree.name} without its type")
        return builder(tree)
    if tree.name == "String":
        return Strings()
    if tree.name == "FixedString":
        return Fixed(_number(tree, 1 << 24))
    if tree.name == "Decimal":
        digits = _number(tree, 76)
        return Fixed(next(width for limit, width in _DECIMALS if digits <= limit))
    if tree.name in _WIDTHS:
        return Fixed(_WIDTHS[tree.name])
    raise ServerError(
        NOT_IMPLEMENTED,
        f"The local ClickHouse does not speak the type {tree.name[:80]} over the wire:"
        " convert it in SQL, to String for instance",
    )


_DECIMALS = ((9, 4), (18, 8), (38, 16), (76, 32))


def _number(tree: TypeName, limit: int) -> int:
    """The first argument, a length from 1 to `limit`."""
    text = tree.args[0].name if tree.args else ""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 0 < int(text) <= limit):
        raise ProtocolError(f"{tree.name} with a size that cannot be")
    return int(text)


def _all(tree: TypeName) -> Layout:
    return Sequence(*(_layout(arg) for arg in tree.args))


def _low_cardinality(tree: TypeName) -> Layout:
    key = tree.args[0]
    # A dictionary has no null map: its first entry stands for NULL.
    return LowCardinality(_layout(key.args[0] if key.name == "Nullable" and key.args else key))


_NESTED: dict[str, Callable[[TypeName], Layout]] = {
    "Nullable": lambda tree: Sequence(Fixed(1), _layout(tree.args[0])),
    "Array": lambda tree: Arrays(_layout(tree.args[0])),
    "Tuple": _all,
    "Map": lambda tree: Arrays(_all(tree)),
    "Nested": lambda tree: Arrays(_all(tree)),
    "LowCardinality": _low_cardinality,
    "SimpleAggregateFunction": lambda tree: _layout(tree.args[-1]),
}
