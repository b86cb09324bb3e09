"""Fixtures that every test may ask for."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from agents.local.broker import EmbeddedBroker

pytest_plugins = ["tests.kafka_fixtures", "tests.side_by_side", "tests.tools_fixtures"]
settings.register_profile("no deadline", deadline=None)  # how long a case takes is no result
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """The address of an embedded broker that the whole run shares: name your own topics."""
    with EmbeddedBroker() as embedded:
        yield embedded.bootstrap


@pytest.fixture
def fresh_broker() -> Iterator[str]:
    """The address of an empty embedded broker, for tests that need topics of fixed names."""
    with EmbeddedBroker() as embedded:
        yield embedded.bootstrap
