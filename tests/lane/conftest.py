"""A worker's app that is not started, and its consumer."""

from pathlib import Path

import pytest
from yarl import URL

from agents.app import LaneApp, create_app
from agents.core import core_settings
from agents.lane.transport import Consumer
from agents.rules_feed import RulesFeed
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
    core, metrics = core_settings(settings), Metrics(WORKER)
    rules = RulesFeed(settings, core, metrics)
    return create_app(settings, core, rules, lambda: NO_FACTS, metrics, url)


@pytest.fixture
def consumer(app: LaneApp) -> Consumer:
    consumer = app.consumer
    assert isinstance(consumer, Consumer)
    return consumer
