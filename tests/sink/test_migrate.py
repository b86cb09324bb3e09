"""Migrations are applied once, in order, and never changed afterwards."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from click.testing import CliRunner
from clickhouse_driver import Client

from agents.cli.sink import migrate as command
from sinks.clickhouse.address import Address, client_of
from sinks.clickhouse.migrate import MigrationError, migrate, missing
from sinks.clickhouse.migrations import Migration, shipped
from sinks.clickhouse.tables import TABLES, VIEWS

FIRST = Migration("0001_a.sql", "CREATE TABLE IF NOT EXISTS a (x Int8) ENGINE = Memory;\n")
SECOND = Migration("0002_b.sql", "CREATE OR REPLACE VIEW b AS SELECT * FROM a;\n")


@pytest.fixture
def plain(new_address: Callable[[], Address], monkeypatch: pytest.MonkeyPatch) -> Address:
    """For migrations of the test's own: there are no views to comment."""
    monkeypatch.setattr("sinks.clickhouse.migrate.VIEWS", {})
    return new_address()


def test_every_column_and_table_says_what_it_is(client: Client) -> None:
    database = "database = currentDatabase()"
    bare = f"SELECT table, name FROM system.columns WHERE {database} AND comment = ''"
    assert client.execute(bare) == []
    assert client.execute(f"SELECT name FROM system.tables WHERE {database} AND comment = ''") == []
    tables = client.execute(f"SELECT name FROM system.tables WHERE {database}")
    assert {name for (name,) in tables} == {*VIEWS, *(one.name for one in TABLES), "migrations"}


def test_the_columns_of_rows_are_the_columns_of_tables(client: Client) -> None:
    for table in TABLES:
        rows = client.execute(f"DESCRIBE TABLE {table.name}")
        assert {row[0] for row in rows} == set(table.columns)


def test_a_second_run_does_nothing(new_address: Callable[[], Address]) -> None:
    address = new_address()
    assert migrate(address) == [migration.name for migration in shipped()]
    assert migrate(address) == []
    with client_of(address) as client:
        assert missing(client) == []


def test_only_what_is_new_is_applied(plain: Address) -> None:
    assert migrate(plain, [FIRST]) == ["0001_a.sql"]
    assert migrate(plain, [FIRST, SECOND]) == ["0002_b.sql"]


def test_a_dead_letter_of_an_earlier_version_gets_its_category_and_counts_once(
    new_address: Callable[[], Address], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = new_address()
    with monkeypatch.context() as earlier:
        earlier.setattr("sinks.clickhouse.migrate.VIEWS", {})
        migrate(address, [one for one in shipped() if one.number <= 6])
    columns = "(reason, topic, partition, offset)"
    with client_of(address) as client:
        old = [("broken", "bank.app", 0, 1), ("future", "bank.app", 0, 2)]
        client.execute(f"INSERT INTO dead_letters_raw {columns} VALUES", old)
        migrate(address)
        again = [
            ("broken", "malformed", "bank.app", 0, 1),
            ("refused", "refused", "bank.app", 0, 2),
        ]
        columns = columns.replace("reason", "reason, category")
        client.execute(f"INSERT INTO dead_letters_raw {columns} VALUES", again)
        rows = client.execute("SELECT offset, category, first FROM dead_letters ORDER BY ALL")
    assert rows == [(1, "malformed", ""), (2, "refused", ""), (2, "time", "")]


def test_a_database_without_tables_misses_all(plain: Address) -> None:
    migrate(plain, [])
    with client_of(plain) as client:
        assert missing(client) == [migration.name for migration in shipped()]
        client.execute("DROP TABLE migrations")
        assert missing(client) == [migration.name for migration in shipped()]


def test_a_changed_migration_is_refused(plain: Address) -> None:
    migrate(plain, [FIRST])
    changed = replace(FIRST, text=FIRST.text.replace("Int8", "Int16"))
    with pytest.raises(MigrationError, match=r"0001_a\.sql was changed after it was applied"):
        migrate(plain, [changed, SECOND])
    with client_of(plain) as client:
        assert client.execute("EXISTS TABLE b") == [(0,)]


def test_a_newer_database_is_refused(plain: Address) -> None:
    migrate(plain, [FIRST, SECOND])
    with pytest.raises(MigrationError, match=r"migration 0002_b\.sql, which this version"):
        migrate(plain, [FIRST])


def test_a_migration_that_was_cut_short_runs_again(plain: Address) -> None:
    broken = Migration("0002_b.sql", SECOND.text + "SELECT no_such_column FROM a;\n")
    with pytest.raises(MigrationError, match=r"migration 0002_b\.sql: .*no_such_column"):
        migrate(plain, [FIRST, broken])
    assert migrate(plain, [FIRST, SECOND]) == ["0002_b.sql"]


def test_numbers_are_those_of_the_files_and_without_gaps() -> None:
    numbers = [migration.number for migration in shipped()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(migration.statements() for migration in shipped())


def test_an_unreachable_address_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        monkeypatch.setenv("VIPCARE_CLICKHOUSE__PORT", str(taken.getsockname()[1]))
        result = CliRunner().invoke(command)
    assert result.exit_code == 2
    assert "does not answer" in result.output
    assert len(result.output.splitlines()) == 1


def test_another_server_that_says_nothing_is_told_within_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        monkeypatch.setenv("VIPCARE_CLICKHOUSE__PORT", str(mute.getsockname()[1]))
        result = CliRunner().invoke(command)
    assert (result.exit_code, len(result.output.splitlines())) == (2, 1)
    assert "does not answer" in result.output
    assert time.monotonic() - began < 15


def test_a_wrong_password_is_one_line(
    new_address: Callable[[], Address], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIPCARE_CLICKHOUSE__PORT", str(new_address().port))
    monkeypatch.setenv("VIPCARE_CLICKHOUSE__PASSWORD", "wr0ng")
    result = CliRunner().invoke(command)
    assert (result.exit_code, len(result.output.splitlines())) == (2, 1)
    assert "wr0ng" not in result.output
