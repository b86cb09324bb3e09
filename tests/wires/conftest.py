"""One secured Apache Kafka for the folder, with the topics made by its operator."""

from collections.abc import Iterator

import pytest

from tests.wires.secure_kafka import SecureKafka


@pytest.fixture(scope="session")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    kafka = SecureKafka(tmp_path_factory.mktemp("secure") / "kafka")
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.server.stop()
