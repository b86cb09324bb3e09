"""How the driver turns amounts and times into numbers, in a fourth of its time.

For each value of a column the driver asks twice whether it is NULL, and it writes an amount as text
and reads that again to scale it. That was a tenth of what a row costs the sink.
"""

from decimal import Decimal
from typing import Any

from clickhouse_driver.columns.datetimecolumn import DateTime64Column
from clickhouse_driver.columns.decimalcolumn import Decimal64Column

_AMOUNTS = frozenset((Decimal, type(None)))
_slow_amounts = Decimal64Column.prepare_items
_slow_times = DateTime64Column.prepare_items


def use_quick_columns() -> None:
    """For every client of this process. Reaches into clickhouse-driver 0.2.9 to 0.2.11."""
    Decimal64Column.prepare_items = _amounts
    DateTime64Column.prepare_items = _times


def _amounts(column: Any, items: list[Any]) -> list[Any]:
    """The numbers that are sent; the driver writes which of them are NULL by itself."""
    if not column.nullable or not _AMOUNTS.issuperset(map(type, items)):
        prepared: list[Any] = _slow_amounts(column, items)
        return prepared
    scale = column.scale
    return [0 if one is None else int(one.scaleb(scale)) for one in items]


def _times(column: Any, items: list[Any]) -> list[Any]:
    """What are epoch milliseconds already."""
    if {*map(type, items)} == {int}:
        return items
    prepared: list[Any] = _slow_times(column, items)
    return prepared
