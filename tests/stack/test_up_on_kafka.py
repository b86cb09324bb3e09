"""The same path on Apache Kafka, with transactions and two workers: everything agrees."""

import json
from pathlib import Path

import pytest

from tests.kafka_server import KafkaServer
from tests.stack.processes import vipcare

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_a_run_on_apache_kafka_agrees(tmp_path: Path, fresh_kafka: KafkaServer) -> None:
    report = tmp_path / "report.json"
    told = vipcare(
        *("up", "--for", "10s", "--workers", "2", "--broker", fresh_kafka.bootstrap),
        *("--data", str(tmp_path / "data"), "--report", str(report)),
        timeout_s=180,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    found = json.loads(report.read_text())
    assert found["reconciled"] is True, found["differences"]
    assert found["events"] > 1_000
    assert found["tasks"] > 0
    assert found["alerts"] > 0
    assert found["dead_letters"] > 0
