"""Each thing that can be wrong with a ClickHouse, made so on the local one."""

from collections.abc import Iterator

import pytest

from agents.clickhouse import clickhouse_address
from agents.doctor.clickhouse import clock, disk, reachable, schema
from agents.doctor.finding import Verdict
from config.settings import Settings
from sinks.clickhouse.address import client_of
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.migrations import shipped
from tests.doctor.looking import found, settings_with, the_only
from tests.ports import free_port
from tests.sink.server import Server

OK, WARN, FAIL = Verdict


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    server = Server(tmp_path_factory.mktemp("clickhouse"))
    yield server.port
    server.stop()


def _settings(port: int, database: str) -> Settings:
    return settings_with(clickhouse={"port": port, "database": database})


def _note(settings: Settings, number: int, name: str) -> None:
    with client_of(clickhouse_address(settings.clickhouse)) as client:
        rows = [(number, name, "another")]
        client.execute("INSERT INTO migrations (number, name, checksum) VALUES", rows)


def test_nobody_there() -> None:
    settings = _settings(free_port(), "vipcare")
    finding = the_only(found(reachable, settings), FAIL, "it does not answer")
    assert "VIPCARE_CLICKHOUSE__HOST" in finding.advice


def test_one_that_is_well(port: int) -> None:
    settings = _settings(port, "well")
    migrate(clickhouse_address(settings.clickhouse))
    the_only(found(reachable, settings), OK, f"at 127.0.0.1:{port}")
    the_only(found(schema, settings), OK, "are those of this version")
    the_only(found(clock, settings), OK, "ClickHouse's clock is 0.")
    assert all("free" in finding.what for finding in found(disk, settings))
    assert found(disk, settings)


def test_no_database(port: int) -> None:
    finding = the_only(found(schema, _settings(port, "none")), FAIL, "there is no database none")
    assert "vipcare migrate" in finding.advice


def test_migrations_that_are_missing(port: int) -> None:
    settings = _settings(port, "old")
    migrate(clickhouse_address(settings.clickhouse), shipped()[:2])
    finding = the_only(found(schema, settings), FAIL, f"lacks {len(shipped()) - 2} migrations")
    assert shipped()[2].name in finding.what


def test_migrations_of_a_later_version_and_one_that_was_changed(port: int) -> None:
    settings = _settings(port, "new")
    migrate(clickhouse_address(settings.clickhouse))
    _note(settings, 9_999, "9999_later.sql")
    _note(settings, 1, shipped()[0].name)
    findings = found(schema, settings)
    assert "a later one" in the_only(findings, FAIL, "has migration 9999_later.sql").advice
    the_only(findings, FAIL, f"migration {shipped()[0].name} was changed")
    assert len(findings) == 2


def test_tables_views_and_columns_that_are_gone(port: int) -> None:
    settings = _settings(port, "gone")
    address = clickhouse_address(settings.clickhouse)
    migrate(address)
    with client_of(address) as client:
        client.execute("DROP TABLE events_raw SYNC")
        client.execute("DROP VIEW alerts_current")
        client.execute("ALTER TABLE tasks_raw DROP COLUMN rule_id")
        client.execute("ALTER TABLE alerts_raw MODIFY COLUMN rule_version String")
    findings = found(schema, settings)
    for what in (
        "table events_raw is missing",
        "view alerts_current is missing",
        "column tasks_raw.rule_id is missing",
    ):
        assert "vipcare migrate" in the_only(findings, FAIL, what).advice
    other = the_only(findings, WARN, "column alerts_raw.rule_version is String, not Int64")
    assert "MODIFY COLUMN rule_version Int64" in other.advice
    migrate(address)
    the_only(found(schema, settings), WARN, "column alerts_raw.rule_version")
