"""Fixtures and the marker `kafka`: tests that need Apache Kafka skip, or fail, without it.

A laptop without Java says that it skipped; with REQUIRE_KAFKA=1 absence is a failure.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka_server import KafkaServer, KafkaUnavailableError, jars


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("kafka") is None:
        return
    try:
        jars()
    except KafkaUnavailableError as error:
        if os.environ.get("REQUIRE_KAFKA") == "1":
            pytest.fail(f"REQUIRE_KAFKA=1, but Apache Kafka cannot run here: {error}")
        pytest.skip(f"Apache Kafka cannot run here: {error}")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one Apache Kafka for the whole session. Use topic names of your own."""
    server = KafkaServer(tmp_path_factory.mktemp("kafka"))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def no_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is at the address of the settings, whatever runs on this machine."""
    monkeypatch.setenv("VIPCARE_KAFKA__BOOTSTRAP", "127.0.0.1:1")


@pytest.fixture
def fresh_kafka(tmp_path: Path) -> Iterator[KafkaServer]:
    """An Apache Kafka of the test's own, started: for fixed topic names, kills and restarts."""
    server = KafkaServer(tmp_path / "kafka")
    try:
        server.start()
        yield server
    finally:
        server.stop()
