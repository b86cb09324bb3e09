"""What the sink's own way with a column sends is what the driver's sends."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from clickhouse_driver.bufferedwriter import BufferedSocketWriter
from clickhouse_driver.columns.datetimecolumn import DateTime64Column
from clickhouse_driver.columns.decimalcolumn import Decimal64Column
from clickhouse_driver.columns.service import write_column
from clickhouse_driver.context import Context
from hypothesis import given
from hypothesis import strategies as st

from sinks.clickhouse.quick_columns import use_quick_columns

amounts = st.decimals("-99999999999999", "99999999999999", places=4) | st.decimals(
    "-9999", "9999", places=2
)
instants = st.integers(0, 10_413_791_999_999)


class Wire:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data


class Server:
    def get_timezone(self) -> str:
        return "UTC"


def context() -> Context:
    told = Context()
    told.client_settings = {"strings_as_bytes": False, "use_numpy": False}
    told.settings, told.server_info = {}, Server()
    return told


def sent(kind: str, values: list[Any]) -> bytes | str:
    wire = Wire()
    out = BufferedSocketWriter(wire, 1 << 16)
    try:
        write_column(context(), "c", kind, [*values], out)
    except Exception as error:
        return type(error).__name__
    out.flush()
    return wire.sent


def both_ways(kind: str, values: list[Any]) -> list[bytes | str]:
    kept = Decimal64Column.prepare_items, DateTime64Column.prepare_items
    told = [sent(kind, values)]
    use_quick_columns()
    told.append(sent(kind, values))
    Decimal64Column.prepare_items, DateTime64Column.prepare_items = kept
    return told


@given(st.lists(st.none() | amounts, max_size=20))
def test_amounts(values: list[Decimal | None]) -> None:
    slow, quick = both_ways("Nullable(Decimal(18, 4))", values)
    assert slow == quick


@pytest.mark.parametrize("odd", [7, 0.5, Decimal("NaN"), Decimal("Infinity"), Decimal("1e40"), ""])
def test_what_is_no_amount_is_refused_or_sent_as_before(odd: object) -> None:
    slow, quick = both_ways("Nullable(Decimal(18, 4))", [Decimal("1.50"), None, odd])
    assert slow == quick


@given(st.lists(instants, max_size=20))
def test_times_in_milliseconds(values: list[int]) -> None:
    slow, quick = both_ways("DateTime64(3, 'UTC')", values)
    assert slow == quick


@given(st.lists(st.none() | instants | st.just(datetime(2026, 5, 1, 12, 30, tzinfo=UTC))))
def test_times_of_other_kinds(values: list[Any]) -> None:
    slow, quick = both_ways("Nullable(DateTime64(3, 'UTC'))", values)
    assert slow == quick
