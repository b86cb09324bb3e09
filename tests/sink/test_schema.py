"""What is read from the migrations is what ClickHouse has; what is gone is made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner
from clickhouse_driver import Client

from agents.cli.sink import migrate as command
from sinks.clickhouse.address import Address, client_of
from sinks.clickhouse.migrate import faults, migrate
from sinks.clickhouse.migrations import shipped
from sinks.clickhouse.schema import same_type, schema_of
from sinks.clickhouse.tables import TABLES, VIEWS

_COLUMNS = """
SELECT table, name, type, comment FROM system.columns
WHERE database = currentDatabase() ORDER BY table, position
"""


@pytest.fixture(scope="module")
def whole() -> list[Address]:
    return []


@pytest.fixture
def own(whole: list[Address], new_address: Callable[[], Address]) -> Iterator[Address]:
    """A migrated database: that of the test before, if it left it whole, because thirty made anew
    take ClickHouse half a minute."""
    if not whole:
        whole.append(new_address())
        migrate(whole[0])
    address = whole.pop()
    yield address
    with client_of(address) as client:
        if not faults(client):
            whole.append(address)


def columns(client: Client) -> list[tuple[str, ...]]:
    return client.execute(_COLUMNS)


def test_what_is_read_is_what_clickhouse_has(own_client: Client) -> None:
    schema = schema_of(shipped())
    assert set(schema.tables) == {table.name for table in TABLES}
    assert set(schema.views) == set(VIEWS)
    for table, wanted in schema.tables.items():
        found = [row[1:] for row in columns(own_client) if row[0] == table]
        assert [name for name, *_ in found] == [*wanted]
        for name, type_, comment in found:
            assert same_type(type_, wanted[name].type), name
            assert f"'{comment}'" == wanted[name].comment
    assert faults(own_client) == []


@pytest.mark.parametrize("name", [*(table.name for table in TABLES), *VIEWS])
def test_a_table_or_view_that_is_gone_is_told_and_made_again(
    name: str, own: Address, own_client: Client
) -> None:
    before = columns(own_client)
    keys = "SELECT name, sorting_key FROM system.tables WHERE database = currentDatabase()"
    sorted_by = sorted(own_client.execute(keys))
    own_client.execute(f"DROP TABLE {name} SYNC")
    told: list[str] = []
    kind = "view" if name in VIEWS else "table"
    assert [str(fault) for fault in faults(own_client)] == [f"{kind} {name} is missing"]
    assert migrate(own, tell=told.append) == []
    [line] = told
    assert line.startswith(f"{kind} {name} is missing: made again")
    assert columns(own_client) == before
    assert sorted(own_client.execute(keys)) == sorted_by
    assert faults(own_client) == []


@pytest.mark.parametrize(
    ("table", "column"),
    [("tasks_raw", "rule_id"), ("customers_raw", "card_details"), ("dead_letters_raw", "reason")],
)
def test_a_column_that_is_gone_comes_back_in_its_place(
    table: str, column: str, own: Address, own_client: Client
) -> None:
    before = columns(own_client)
    own_client.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    assert str(faults(own_client)[0]) == f"column {table}.{column} is missing"
    told: list[str] = []
    migrate(own, tell=told.append)
    assert told[0].startswith(f"column {table}.{column} is missing: made again, empty: `vipcare")
    assert columns(own_client) == before
    for view in VIEWS:
        own_client.execute(f"SELECT * FROM {view}")


def test_everything_gone_at_once_comes_back(own: Address, own_client: Client) -> None:
    before = columns(own_client)
    for name in (*VIEWS, *(table.name for table in TABLES)):
        own_client.execute(f"DROP TABLE {name} SYNC")
    assert len(faults(own_client)) == len(VIEWS) + len(TABLES)
    migrate(own)
    assert columns(own_client) == before


def test_a_view_of_other_columns_is_made_anew(own: Address, own_client: Client) -> None:
    own_client.execute("CREATE OR REPLACE VIEW rms AS SELECT name AS rm FROM facts")
    assert "column rms.team is missing" in map(str, faults(own_client))
    migrate(own)
    assert faults(own_client) == []


def test_another_type_is_told_and_left_alone(
    own: Address, own_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_client.execute("ALTER TABLE tasks_raw MODIFY COLUMN rule_version String")
    for name in ("PORT", "DATABASE"):
        monkeypatch.setenv(f"VIPCARE_CLICKHOUSE__{name}", str(getattr(own, name.lower())))
    told = CliRunner().invoke(command, catch_exceptions=False).output
    [fault] = [one for one in faults(own_client) if one.name == "tasks_raw"]
    assert str(fault) == "column tasks_raw.rule_version is String, not Int64"
    assert told.splitlines()[-2:] == [
        f"{fault}: {fault.advice}",
        f"database {own.database} differs from this version",
    ]
    assert "ALTER TABLE tasks_raw MODIFY COLUMN rule_version Int64" in fault.advice
    own_client.execute(fault.advice.split("`")[1])
    migrate(own)
    assert faults(own_client) == []


def test_what_is_gone_does_not_stop_the_next_migration(new_address: Callable[[], Address]) -> None:
    address = new_address()
    migrate(address, [one for one in shipped() if one.number <= 9])
    with client_of(address) as client:
        client.execute("DROP TABLE customers_raw SYNC")
        client.execute("DROP VIEW facts")
        assert len(faults(client)) == 2
        migrate(address)
        assert faults(client) == []
