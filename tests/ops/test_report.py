"""The whole path, worker and sink as processes: the report says that everything agrees.

Then ClickHouse is tampered with, and the report says where.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_driver import Client

from agents.clickhouse import clickhouse_address
from agents.reconciliation.report import make_report, write_report
from agents.topics import create
from config.settings import ClickHouseSettings, Settings
from sinks.clickhouse.address import client_of
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.render import count_rows
from tests.lane.events import produce_events
from tests.local_clickhouse.process import ServerProcess
from tests.ops.pipeline import settings_for, sink, wait_applied, worker

EVENTS = 1_500
PROMISED = {
    "events",
    "events_per_second",
    "tasks",
    "alerts",
    "dead_letters",
    "duplicates",
    "by_rule",
    "rows",
    "latency_ms",
    "reconciled",
}
"""What a report has for whoever reads it; the rest explains."""


@pytest.fixture
def settings(fresh_broker: str, tmp_path: Path) -> Iterator[Settings]:
    """A run that ended: everything is applied and written."""
    server = ServerProcess(tmp_path / "clickhouse")
    try:
        settings = settings_for(fresh_broker, tmp_path, transactions=False).model_copy(
            update={"clickhouse": ClickHouseSettings(port=server.port)}
        )
        create(settings)
        migrate(clickhouse_address(settings.clickhouse))
        produce_events(settings, EVENTS)
        with worker(settings), sink(settings):
            wait_applied(settings)
            _wait_written(settings)
        yield settings
    finally:
        server.finish()


def _wait_written(settings: Settings) -> None:
    """Until ClickHouse stays as it is for two seconds."""
    with client_of(clickhouse_address(settings.clickhouse)) as client:
        before: dict[str, int] = {}
        deadline = time.monotonic() + 60
        while (now := count_rows(client)) != before or not now["dead_letters"]:
            assert time.monotonic() < deadline, "ClickHouse still changes after a minute"
            before = now
            time.sleep(2)


def _told(settings: Settings) -> list[str]:
    report = make_report(settings, 0, 1_000)
    assert report["reconciled"] is False
    told: list[str] = report["differences"]
    return told


def test_the_report_of_a_whole_path(settings: Settings, tmp_path: Path) -> None:
    report = make_report(settings, 10_000, 12_000)
    write_report(tmp_path / "report.json", report)
    assert json.loads((tmp_path / "report.json").read_text()) == report
    beside = {"actions", "by_type", "dead_letters_by_reason", "decisions", "differences"}
    assert set(report) == PROMISED | beside
    assert {"p50", "p99"} <= set(report["latency_ms"])
    assert report["differences"] == []
    assert report["reconciled"] is True
    assert report["events"] == EVENTS
    assert report["events_per_second"] == EVENTS / 2
    assert report["rows"]["tasks"] == report["tasks"] > 0
    assert report["rows"]["dead_letters"] == report["dead_letters"] > 0
    assert report["duplicates"] > 0
    assert min(report["by_rule"].values()) >= 0
    with client_of(clickhouse_address(settings.clickhouse)) as client:
        _tamper(settings, client)
    gone = ClickHouseSettings(port=9)
    [line, other] = _told(settings.model_copy(update={"clickhouse": gone}))
    assert line == "ClickHouse cannot be read: it does not answer"
    assert other == "ClickHouse's rows cannot be counted: it does not answer"


def _tamper(settings: Settings, client: Client) -> None:
    """Each adds to the lines of those before it."""
    ((name,),) = client.execute("SELECT id FROM tasks ORDER BY id LIMIT 1")
    client.execute(
        "INSERT INTO tasks_raw SELECT * REPLACE('urgent' AS priority) "
        "FROM tasks_raw FINAL WHERE id = %(id)s",
        {"id": name},
    )
    assert _told(settings) == [f"effect {name}: ClickHouse and its topic differ in data.priority"]
    client.execute(
        "INSERT INTO tasks_raw SELECT * REPLACE('invented' AS id) "
        "FROM tasks_raw FINAL WHERE task_id = %(task)s",
        {"task": name.removesuffix("-1")},
    )
    assert "effect invented: ClickHouse has it, its topic has not" in _told(settings)
    ((lost,),) = client.execute("SELECT count() FROM dead_letters")
    client.execute("TRUNCATE TABLE dead_letters_raw")
    lines = [line for line in _told(settings) if line.startswith("dead letter ")]
    assert len(lines) == min(lost, 18)
    assert all(line.endswith("ClickHouse has not got it, its topic has") for line in lines)
