"""What a worker refuses, in one line that says what to do, with its exit status."""

from pathlib import Path

import pytest

from agents.faults import Fault
from agents.topics import create
from config.settings import Settings, TopicSettings
from tests.kafka_server import KafkaServer
from tests.lane.process import Worker, changed, settings_for


def ended(settings: Settings) -> tuple[int, str]:
    """A worker's exit status and its last line."""
    with Worker(settings) as worker:
        status = worker.process.wait(120)
    return status, worker.log.read_text().splitlines()[-1]


@pytest.mark.broker
def test_topics_that_are_missing_or_of_another_size(fresh_broker: str, tmp_path: Path) -> None:
    settings = settings_for(fresh_broker, tmp_path / "data", transactions=False)
    status, line = ended(settings)
    assert status == 2
    assert "is missing: make it with `vipcare topics create`" in line
    create(settings)
    status, line = ended(settings.model_copy(update={"topics": TopicSettings(partitions=3)}))
    assert status == 2
    assert "has 2 partitions, not 3" in line


@pytest.mark.broker
def test_a_folder_or_a_port_that_another_worker_has(fresh_broker: str, tmp_path: Path) -> None:
    settings = settings_for(fresh_broker, tmp_path / "data", transactions=False, partitions=1)
    create(settings)
    with Worker(settings) as first:
        first.wait_ready(1)
        port = int(first.url.rpartition(":")[2].partition("/")[0])
        taken = changed(settings, "worker", metrics_port=port, data=tmp_path / "other")
        status, line = ended(taken)
        assert status == 2
        assert f"/metrics cannot listen on 127.0.0.1:{port}" in line
        # A group of its own, so that it gets the partition whose folder is in use.
        topic_twin = changed(settings, "worker", app="other")
        create(topic_twin)
        status, line = ended(topic_twin)
        assert status == Fault.STORE
        assert "give every worker a folder of its own" in line


@pytest.mark.kafka
def test_a_session_that_kafka_refuses(tmp_path: Path) -> None:
    limits = {"group.min.session.timeout.ms": "6000"}
    server = KafkaServer(tmp_path / "kafka", properties=limits)
    try:
        settings = settings_for(server.start(), tmp_path / "data", transactions=True)
        create(settings)
        status, line = ended(changed(settings, "worker", session_timeout_s=5))
    finally:
        server.stop()
    assert status == Fault.KAFKA
    assert "InvalidSessionTimeoutError" in line
    assert "VIPCARE_WORKER__SESSION_TIMEOUT_S" in line
