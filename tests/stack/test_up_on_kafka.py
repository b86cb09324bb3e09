"""The same path on Apache Kafka, with transactions and two workers: everything agrees."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.kafka_server import KafkaServer, short_lived
from tests.stack.processes import descendants, read_until, running, still_there

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

_COMMAND = ("up", "--broker", "kafka", "--keep")
SHORT = {"VIPCARE_BANK__HISTORY_DAYS": "10"}


def test_a_run_on_apache_kafka_agrees(tmp_path: Path, fresh_kafka: KafkaServer) -> None:
    report = tmp_path / "report.json"
    options = ("--workers", "2", "--broker", fresh_kafka.bootstrap, "--report", str(report))
    with running("up", *options, "--data", str(tmp_path / "data"), **SHORT) as up:
        read_until(up, "ready")
        _await(up, "alerts", 1)
        up.send_signal(signal.SIGINT)
        said, _ = up.communicate(timeout=200)
    assert up.returncode == 0, said
    found = _reconciled(report)
    assert found["events"] > 1_000
    assert found["tasks"] > 0
    assert found["alerts"] > 0
    assert found["dead_letters"] > 0


def test_a_kafka_of_its_own_survives_a_killed_worker_and_is_kept(tmp_path: Path) -> None:
    data, report = tmp_path / "data", tmp_path / "report.json"
    counts = []
    for more in (1_000, 1):
        report.unlink(missing_ok=True)
        command = (*_COMMAND, "--data", str(data), "--report", str(report))
        with running(*command, **SHORT, **short_lived()) as up:
            lines = read_until(up, "ready")
            below = descendants(up.pid)
            _await(up, "events", more)
            if not counts:
                (worker,) = (pid for pid, args in below.items() if args.endswith(" worker"))
                os.kill(worker, signal.SIGKILL)
            up.send_signal(signal.SIGINT)
            said, _ = up.communicate(timeout=200)
        assert up.returncode == 0, said
        assert any("Apache Kafka keeps transactions" in line for line in lines)
        assert not still_there(below, 1.0)
        counts.append(_reconciled(report)["rows"]["events"])
    assert counts[1] > counts[0] > 900
    assert [path.name for path in data.iterdir() if path.is_dir()] == ["kept-kafka"]


def _await(up: "subprocess.Popen[str]", what: str, enough: int) -> None:
    """Until its line of now and then tells of so many."""
    assert up.stdout is not None
    for line in up.stdout:
        told = re.search(rf" {what} ([\d,]+) ", line)
        if told and int(told[1].replace(",", "")) >= enough:
            return
    raise AssertionError("it ended before")


def _reconciled(report: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report.read_text())
    assert found["reconciled"] is True, found["differences"]
    return found
