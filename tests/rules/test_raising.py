"""A rule that raises: counted and shown, in shadow too, where nothing is to be switched off."""

import json

import pytest
from structlog.testing import capture_logs

from agents.core import core_settings
from agents.rules_feed import RulesFeed
from config.settings import KafkaSettings, Settings
from schemas.metrics import WORKER
from schemas.record import Record
from schemas.rules import RuleDefinition, Status
from sinks.metrics import Metrics
from streams.chunk import apply_chunk
from streams.context import Context, CoreSettings
from streams.inputs import Raw
from streams.intake import read
from streams.rules.compiler import compile_rules
from tests.lane.rules import HUGE, SMALL, fragile, sound, views
from tests.rules.mock_cluster import mock_cluster
from tests.rules.test_register import active, version


@pytest.mark.parametrize("status", ["live", "shadow"])
def test_what_raises_is_counted(status: Status) -> None:
    rules = [fragile() | {"status": status}, sound()]
    rule_set = compile_rules([RuleDefinition.model_validate(one) for one in rules])
    core = CoreSettings(partitions=1)
    told = [*views("a", 1, SMALL), *views("b", 1, HUGE)]
    raws = [
        Raw("bank.app", 0, offset, b"C0", json.dumps(one).encode())
        for offset, one in enumerate(told)
    ]
    record = Record("C0")
    context = Context(2**50, rule_set, core)
    outcome = apply_chunk([read(raw, core) for raw in raws], lambda _: record, context)
    assert outcome.counts["applied"] == 4
    assert outcome.counts["rule_failures:fragile"] == 1
    assert outcome.counts["fired:sound"] == 2


@pytest.mark.parametrize("status", ["live", "shadow"])
def test_what_raises_is_shown(status: Status) -> None:
    messages = [version(fragile(3)), active(1, fragile=(3, status))]
    with mock_cluster(*messages) as cluster:
        kafka = KafkaSettings(bootstrap=cluster, transactions=False)
        settings = Settings(kafka=kafka)
        feed = RulesFeed(settings, core_settings(settings), Metrics(WORKER))
        feed.start()
        try:
            assert feed.told()["raised"] == {}
            with capture_logs() as logs:
                feed.failed("fragile", 2)
                feed.failed("fragile", 1)
            assert feed.told()["raised"] == {"fragile@3": 3}
        finally:
            feed.stop()
    assert logs == [
        {
            "event": "rule_raised",
            "log_level": "warning",
            "rule": "fragile",
            "version": 3,
            "status": status,
        }
    ]
