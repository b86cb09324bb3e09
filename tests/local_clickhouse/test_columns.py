"""Where a block ends: found by type, against blocks that clickhouse-driver itself has written."""

from __future__ import annotations

import copy
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sinks.local_clickhouse.blocks import Column, copy_block, empty_block, skip_block_info
from sinks.local_clickhouse.columns import layout_of
from sinks.local_clickhouse.errors import ProtocolError, ServerError
from sinks.local_clickhouse.type_names import TypeName, parse_type
from tests.local_clickhouse.bytes_in import driver_block, reader_of
from tests.local_clickhouse.values import columns

SIZES = st.lists(st.integers(1, 500), min_size=1, max_size=5)
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
@given(st.lists(columns(), min_size=1, max_size=3), SIZES)
def test_a_block_ends_where_the_driver_ended_it(
    block: list[tuple[str, list[Any]]], sizes: list[int]
) -> None:
    rows = min(len(values) for _, values in block)
    block = [(kind, values[:rows]) for kind, values in block]
    data = driver_block(copy.deepcopy(block))
    reader, out = reader_of(data + b"end", sizes), BytesIO()
    skip_block_info(reader)
    shape = copy_block(reader, out)
    assert reader.read(3) == b"end"
    assert data.endswith(out.getvalue())
    assert (shape.rows, [column.type for column in shape.columns]) == (rows, [k for k, _ in block])


def test_a_block_is_given_other_type_names() -> None:
    data = driver_block([("UInt8", [1, 2]), ("UInt32", [3, 4])])
    reader, out = reader_of(data), BytesIO()
    skip_block_info(reader)
    copy_block(reader, out, lambda place, column: "DateTime" if place else column.type)
    again = BytesIO()
    shape = copy_block(reader_of(out.getvalue()), again)
    assert again.getvalue() == out.getvalue()
    assert shape.columns == (Column("c0", "UInt8"), Column("c1", "DateTime"))


def test_an_empty_block_tells_its_columns() -> None:
    asked = [Column("a", "Array(String)"), Column("b", "Map(String, UInt8)")]
    shape = copy_block(reader_of(empty_block(asked)), BytesIO())
    assert (list(shape.columns), shape.rows) == (asked, 0)


def test_type_names_become_trees() -> None:
    assert parse_type("Map(String, Array(Nullable(UInt8)))") == TypeName(
        "Map",
        (TypeName("String"), TypeName("Array", (TypeName("Nullable", (TypeName("UInt8"),)),))),
    )
    named = parse_type("Tuple(\n    `a b` Decimal(18, 4),\n    c DateTime('UTC'))")
    assert [part.name for part in named.args] == ["Decimal", "DateTime"]
    assert parse_type("Enum8('it''s (' = -1, 'b\\'' = 2)").name == "Enum8"


@pytest.mark.parametrize(
    "name",
    [
        *("", "Array(", "Array)", "Array()", "Tuple(,)", "Array(UInt8", "UInt8)", "Array(" * 40),
        *("'", "(", "Array", "Nullable", "Decimal(0)", "Decimal(77)", "FixedString(0)"),
        *("FixedString(x)", "FixedString(99999999999)", "Decimal", "LowCardinality"),
    ],
)
def test_names_that_are_no_types(name: str) -> None:
    with pytest.raises(ProtocolError):
        layout_of(name)


@pytest.mark.parametrize("name", ["JSON", "Dynamic", "Variant(String, UInt8)", "Point", "What"])
def test_types_that_are_not_spoken_say_so(name: str) -> None:
    with pytest.raises(ServerError, match="does not speak the type") as caught:
        layout_of(f"Array({name})")
    assert caught.value.code == 48
