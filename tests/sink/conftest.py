"""A local ClickHouse for the folder, a migrated database, and ways to write and wait."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from clickhouse_driver import Client

from sinks.clickhouse.address import Address, client_of
from sinks.clickhouse.migrate import faults, migrate, missing
from sinks.clickhouse.tables import TABLES
from tests.sink.server import Server

_numbers = itertools.count()
_STATEMENTS = """
SELECT create_table_query FROM system.tables WHERE database = currentDatabase()
ORDER BY engine = 'View', name
"""


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    process = Server(tmp_path_factory.mktemp("clickhouse"))
    yield process
    process.stop()


@pytest.fixture
def new_address(clickhouse: Server) -> Callable[[], Address]:
    """Addresses of databases that are not there yet."""

    def make() -> Address:
        database = f"sink_{next(_numbers)}"
        return Address(host="127.0.0.1", port=clickhouse.port, database=database)

    return make


@pytest.fixture(scope="session")
def migrated(clickhouse: Server) -> Address:
    address = Address(host="127.0.0.1", port=clickhouse.port, database="sink_shared")
    migrate(address)
    return address


@pytest.fixture
def address(migrated: Address) -> Address:
    """A database with empty tables."""
    with client_of(migrated) as client:
        for table in TABLES:
            client.execute(f"TRUNCATE TABLE {table.name}")
            # What a test that failed has left would fail those after it.
            client.execute(f"ALTER TABLE {table.name} DROP CONSTRAINT IF EXISTS no")
    return migrated


@pytest.fixture
def client(address: Address) -> Iterator[Client]:
    with client_of(address) as found:
        yield found


@pytest.fixture(scope="session")
def statements(clickhouse: Server) -> list[str]:
    """What makes tables and views as they stand after all migrations: a fifth of the statements."""
    address = Address(host="127.0.0.1", port=clickhouse.port, database="sink_pattern")
    migrate(address)
    with client_of(address) as client:
        made = client.execute(_STATEMENTS)
    return [statement.replace("sink_pattern.", "") for (statement,) in made]


@pytest.fixture
def own(new_address: Callable[[], Address], statements: list[str]) -> Address:
    """A database of the test's own, as migrations leave it."""
    address = new_address()
    with client_of(address, "") as client:
        client.execute(f"CREATE DATABASE {address.database}")
    with client_of(address) as client:
        for statement in statements:
            client.execute(statement)
        client.execute("INSERT INTO migrations SELECT * FROM sink_pattern.migrations")
        assert faults(client) == missing(client) == []
    return address


@pytest.fixture
def own_client(own: Address) -> Iterator[Client]:
    with client_of(own) as found:
        yield found
