"""The same path on Apache Kafka, with transactions and two workers: everything agrees."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.kafka_server import KafkaServer
from tests.stack.processes import descendants, read_until, running, still_there, vipcare

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

SHORT = {"VIPCARE_BANK__HISTORY_DAYS": "10"}


def test_a_run_on_apache_kafka_agrees(tmp_path: Path, fresh_kafka: KafkaServer) -> None:
    report = tmp_path / "report.json"
    told = vipcare(
        *("up", "--for", "10s", "--workers", "2", "--broker", fresh_kafka.bootstrap),
        *("--data", str(tmp_path / "data"), "--report", str(report)),
        timeout_s=180,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    found = _reconciled(report)
    assert found["events"] > 1_000
    assert found["tasks"] > 0
    assert found["alerts"] > 0
    assert found["dead_letters"] > 0


def test_a_kafka_of_its_own_survives_a_killed_worker_and_is_kept(tmp_path: Path) -> None:
    command = ("up", "--broker", "kafka", "--keep", "--data", str(tmp_path / "data"))
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    with running(*command, "--for", "5s", "--report", str(first), **SHORT) as up:
        lines = read_until(up, "ready")
        below = descendants(up.pid)
        (worker,) = (pid for pid, args in below.items() if args.endswith(" worker"))
        os.kill(worker, signal.SIGKILL)
        said, _ = up.communicate(timeout=150)
    assert up.returncode == 0, said
    assert any("Apache Kafka keeps transactions" in line for line in lines)
    assert not still_there(below, 1.0)
    before = _reconciled(first)

    again = vipcare(*command, "--for", "3s", "--report", str(second), timeout_s=150, **SHORT)
    assert again.returncode == 0, again.stdout + again.stderr
    after = _reconciled(second)
    assert after["events"] > before["events"] > 1_000
    assert after["rows"]["events"] > before["rows"]["events"]
    assert [path.name for path in (tmp_path / "data").iterdir() if path.is_dir()] == ["kept-kafka"]


def _reconciled(report: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report.read_text())
    assert found["reconciled"] is True, found["differences"]
    return found
