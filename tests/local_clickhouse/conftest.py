"""One server process for all tests of this folder; each test makes a database of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from clickhouse_driver import Client

from tests.local_clickhouse.asking import Ask, ask
from tests.local_clickhouse.process import ServerProcess

TABLE = "CREATE TABLE t (id UInt64, name String DEFAULT 'none') ENGINE = MergeTree ORDER BY id"

_numbers = itertools.count()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server."""
    process = ServerProcess(tmp_path_factory.mktemp("clickhouse"))
    yield process
    assert process.is_running()
    status, errors = process.finish()
    assert (status, "Traceback" in errors) == (0, False), errors


@pytest.fixture
def connect(server: ServerProcess) -> Iterator[Callable[..., Client]]:
    """Makes clients in a new database."""
    name = f"test_{next(_numbers)}"
    admin = server.client()
    admin.execute(f"CREATE DATABASE {name}")
    clients: list[Client] = [admin]

    def make(**options: object) -> Client:
        clients.append(server.client(database=name, **options))
        return clients[-1]

    yield make
    admin.execute(f"DROP DATABASE {name}")
    for client in clients:
        client.disconnect()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    """A client in a new database."""
    return connect()


@pytest.fixture
def table(server: ServerProcess, client: Client) -> Ask:
    """Asks in a database with a table `t`."""
    client.execute(TABLE)
    database = client.execute("SELECT currentDatabase()")[0][0]
    return lambda *a, **k: ask(server, *a, **{"database": database, **k})
