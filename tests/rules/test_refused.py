"""What the newest of the register is refused for, as a worker tells it."""

from collections.abc import Sequence

import pytest

from agents.core import core_settings
from agents.rules_feed import RulesFeed
from config.settings import KafkaSettings, Settings
from schemas.metrics import WORKER
from sinks.metrics import Metrics
from tests.lane.rules import rule
from tests.rules.mock_cluster import mock_cluster
from tests.rules.test_register import Message, active, isolated, version

GOOD = (version(rule("a")), active(1, a=(1, "live")))
BROKEN: Message = (b"active", b"{")
UNUSABLE = (version(rule("b") | {"on_the_moon": True}), active(2, b=(1, "live")))


def told_after_a_start(messages: Sequence[Message]) -> object:
    with mock_cluster(*messages) as cluster:
        settings = Settings(kafka=KafkaSettings(bootstrap=cluster, transactions=False))
        feed = RulesFeed(settings, core_settings(settings), Metrics(WORKER))
        feed.start()
        try:
            return feed.told()["refused"]
        finally:
            feed.stop()


@pytest.mark.parametrize(
    ("messages", "begin"),
    [
        ((*GOOD, BROKEN), "offset 2: it is no such record: "),
        ((*GOOD, *UNUSABLE, BROKEN), "offset 4: it is no such record: "),
        ((*GOOD, BROKEN, *UNUSABLE), "offset 5: b@1: on_the_moon: "),
        ((*GOOD, (b"what", b"is this")), "offset 2: its key is not one of the register's"),
    ],
)
def test_what_came_last_and_is_refused_is_told(messages: Sequence[Message], begin: str) -> None:
    assert str(told_after_a_start(messages)).startswith(begin)


@pytest.mark.parametrize("other", [(b"what", b"is this"), (b"b@1", None)])
def test_what_was_refused_before_is_not(other: Message) -> None:
    assert told_after_a_start([*GOOD, BROKEN, active(2, a=(1, "shadow"))]) == ""
    assert told_after_a_start([*GOOD, other, active(2, a=(1, "shadow"))]) == ""


@pytest.mark.parametrize("spoilt", [BROKEN, (b"a@1", None), (b"a@1", b"{")])
def test_what_took_the_place_of_what_is_known_is_told_until_that_is_back(spoilt: Message) -> None:
    """Kafka drops what was there when it compacts the topic."""
    later = [*GOOD, spoilt, isolated("a", 1)]
    assert str(told_after_a_start(later)).startswith("offset 2: ")
    assert told_after_a_start([*later, *GOOD]) == ""
