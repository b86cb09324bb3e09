"""A worker's app that is not started, and its consumer."""

from pathlib import Path

import pytest
from yarl import URL

from agents.app import LaneApp, create_app
from agents.core import rule_set
from agents.lane.transport import Consumer
from config.settings import KafkaSettings, Settings, WorkerSettings
from schemas.metrics import WORKER
from sinks.metrics import Metrics
from streams.facts import NO_FACTS


@pytest.fixture
def app(tmp_path: Path) -> LaneApp:
    settings = Settings(
        kafka=KafkaSettings(bootstrap="127.0.0.1:1"), worker=WorkerSettings(data=tmp_path)
    )
    url = URL("http://here:1")
    return create_app(settings, rule_set(settings), lambda: NO_FACTS, Metrics(WORKER), url)


@pytest.fixture
def consumer(app: LaneApp) -> Consumer:
    consumer = app.consumer
    assert isinstance(consumer, Consumer)
    return consumer
