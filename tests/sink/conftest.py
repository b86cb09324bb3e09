"""A local ClickHouse for the folder, a migrated database, and ways to write and wait."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from clickhouse_driver import Client

from sinks.clickhouse.address import Address, client_of
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.tables import TABLES
from tests.sink.server import Server

_numbers = itertools.count()


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


@pytest.fixture
def own(new_address: Callable[[], Address]) -> Address:
    """A database of the test's own, migrated."""
    address = new_address()
    migrate(address)
    return address


@pytest.fixture
def own_client(own: Address) -> Iterator[Client]:
    with client_of(own) as found:
        yield found
