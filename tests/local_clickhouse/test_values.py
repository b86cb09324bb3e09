"""Values of every type come back as they were sent, with and without compression."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from clickhouse_driver import Client
from hypothesis import HealthCheck, given, settings

from tests.local_clickhouse.values import SCALARS, columns, plain_value

COMPRESSIONS = (False, "lz4", "zstd")


@pytest.fixture(params=COMPRESSIONS, ids=["plain", "lz4", "zstd"])
def speaker(request: pytest.FixtureRequest, connect: Callable[..., Client]) -> Client:
    """A client for each compression."""
    options: dict[str, object] = {"allow_suspicious_low_cardinality_types": 1}
    if request.param == "zstd":
        options["network_compression_method"] = "ZSTD"
    return connect(compression=request.param, settings=options)


def round_trip(client: Client, kind: str, values: list[Any]) -> tuple[list[Any], str]:
    """Inserts a column, selects it; what came, and its type."""
    client.execute(f"CREATE TEMPORARY TABLE one (place UInt32, value {kind}) ENGINE = Memory")
    try:
        # The driver changes lists that it is given.
        rows = [(place, copy.deepcopy(value)) for place, value in enumerate(values)]
        assert client.execute("INSERT INTO one VALUES", rows) == len(rows)
        got, described = client.execute(
            "SELECT value FROM one ORDER BY place", with_column_types=True
        )
        return [row[0] for row in got], described[0][1]
    finally:
        client.execute("DROP TABLE IF EXISTS one")


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(column=columns())
def test_any_type_round_trips(speaker: Client, column: tuple[str, list[Any]]) -> None:
    kind, values = column
    got, described = round_trip(speaker, kind, values)
    assert described == kind
    assert plain_value(got) == plain_value(values)


def test_every_scalar_round_trips_empty(speaker: Client) -> None:
    """Each type's name and an empty column of it."""
    for kind in SCALARS:
        got, described = round_trip(speaker, kind, [])
        assert (got, described) == ([], kind)


def test_the_engine_sees_the_same_values(client: Client) -> None:
    """Not only the same bytes back: SQL agrees about what was inserted."""
    client.execute(
        "CREATE TABLE t (a Decimal(18, 4), b DateTime64(3, 'UTC'), c Map(String, String),"
        " d LowCardinality(Nullable(String)), e Array(UInt16)) ENGINE = Memory"
    )
    client.execute(
        "INSERT INTO t VALUES",
        [("12.5", 1_700_000_000_000, {"k": "v"}, None, [1, 2]), (1, 0, {}, "x", [])],
    )
    assert client.execute(
        "SELECT toString(sum(a)), toString(max(b)), sum(mapContains(c, 'k')),"
        " countIf(d IS NULL), sum(length(e)) FROM t"
    ) == [("13.5", "2023-11-14 22:13:20.000", 1, 1, 2)]
