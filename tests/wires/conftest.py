"""One secured Apache Kafka for the folder, with the topics made by its operator."""

from collections.abc import Iterator

import pytest

from agents.rights import ROLES
from tests.sink.server import Server
from tests.stack.processes import vipcare
from tests.wires.acls import give, printed
from tests.wires.secure_kafka import SecureKafka, settings_of, variables


@pytest.fixture(scope="session")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    kafka = SecureKafka(tmp_path_factory.mktemp("secure") / "kafka")
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.server.stop()


@pytest.fixture(scope="session")
def given(secure: SecureKafka) -> SecureKafka:
    """Every user has the rights of its role, and the operator has made the topics with its own."""
    for role in ROLES:
        give(secure.admin(), f"User:{role}", printed(role, settings_of(secure, role)))
    made = vipcare("topics", "create", **variables("kafka", secure.login("operator")))
    assert made.returncode == 0, made.stderr
    return secure


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A local ClickHouse with the tables."""
    server = Server(tmp_path_factory.mktemp("clickhouse"))
    migrated = vipcare("migrate", VIPCARE_CLICKHOUSE__PORT=str(server.port))
    assert migrated.returncode == 0, migrated.stderr
    yield server
    server.stop()
