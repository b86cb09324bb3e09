"""What is seen from the topics alone, on the embedded broker."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Producer

from agents.local.display import View, line
from agents.local.drain import untaken
from agents.local.observer import Observer
from agents.topics import create
from config.settings import Settings
from schemas.dead_letters import DeadLetter, Reason
from schemas.position import Position, Range, encode_position
from schemas.rule_register import RULES_TOPIC
from tests.lane.rules import rule
from tests.rules.test_register import Message, active, isolated, version

pytestmark = pytest.mark.broker


@pytest.fixture
def settings(fresh_broker: str) -> Settings:
    found = Settings.model_validate({"kafka": {"bootstrap": fresh_broker, "transactions": False}})
    create(found)
    return found


def _send(settings: Settings, topic: str, partition: int, values: list[bytes]) -> None:
    """All values in one batch."""
    producer = Producer({"bootstrap.servers": settings.kafka.bootstrap, "linger.ms": 200})
    for value in values:
        producer.produce(topic, value, b"key", partition)
    assert producer.flush(60) == 0


def _poll_until(observer: Observer, seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not seen():
        assert time.monotonic() < deadline, observer.facts
        observer.poll(0.1)


def _journal(partition: int, number: int, **ends: tuple[int, int]) -> bytes:
    ranges = {
        topic.replace("_", "."): Range(topic_id="", start=start, end=end)
        for topic, (start, end) in ends.items()
    }
    return encode_position(
        Position(partition=partition, number=number, ranges=ranges, now=1_000, rules="r")
    )


def test_counts_come_from_the_journal_and_the_dead_letters(settings: Settings) -> None:
    _send(settings, "vip.journal", 0, [_journal(0, 1, bank_core=(0, 5), bank_app=(0, 2))])
    _send(settings, "vip.journal", 1, [_journal(1, 1, bank_core=(0, 1)), b"{not a position"])
    letter = DeadLetter(
        reason=Reason.BROKEN,
        detail="not JSON",
        topic="bank.core",
        partition=0,
        offset=3,
        key=b"key",
        value=b"{",
        length=1,
        sha256="",
    )
    producer = Producer({"bootstrap.servers": settings.kafka.bootstrap})
    producer.produce("vip.dead-letters", letter.value, letter.key, headers=dict(letter.headers()))
    producer.flush(60)
    with Observer(settings, from_start=True) as observer:
        _poll_until(observer, lambda: observer.facts.events >= 8 and bool(observer.facts.dead))
    assert observer.facts.events == 8
    assert dict(observer.facts.dead) == {"broken": 1}
    assert observer.positions["bank.core", 0] == 5
    assert observer.positions["bank.core", 1] == 1


def test_rules_that_are_isolated_are_seen_until_another_version_is_there(
    settings: Settings,
) -> None:
    producer = Producer({"bootstrap.servers": settings.kafka.bootstrap})

    def send(*messages: Message) -> None:
        for key, value in messages:
            producer.produce(RULES_TOPIC, value, key, 0)
        assert producer.flush(60) == 0

    send(version(rule("a")), version(rule("b")), active(1, a=(1, "live"), b=(1, "live")))
    send(isolated("a", 1), isolated("b", 1))
    with Observer(settings, from_start=True) as observer:
        _poll_until(observer, lambda: observer.facts.isolated == ("a@1", "b@1"))
        view = View(observer.facts, 1.0, 2.0, None, "live", {})
        assert line(view).endswith("isolated: a@1, b@1")
        lifted = isolated("b", 1)[0], None
        send(version(rule("a", 2)), active(2, a=(2, "live"), b=(1, "live")), lifted)
        _poll_until(observer, lambda: observer.facts.isolated == ())
        assert "isolated" not in line(view)


@pytest.mark.parametrize("batch", [1, 7, 500])
def test_untaken_counts_what_a_short_end_hides(settings: Settings, batch: int) -> None:
    for _ in range(2):
        _send(settings, "bank.core", 0, [b"x"] * batch)
    for place in (0, 1, batch, batch + 1, 2 * batch):
        assert untaken(settings.kafka, {("bank.core", 0): place}) == max(0, 2 * batch - place)
    everything = {("bank.core", number): 0 for number in range(4)}
    assert untaken(settings.kafka, everything) == 2 * batch


def test_a_look_that_nobody_answers_in_time_leaves_the_lags_as_they_were() -> None:
    """A broker under load answers late: no reason to end a run."""
    settings = Settings.model_validate({"kafka": {"bootstrap": "127.0.0.1:1"}})
    with Observer(settings, from_start=True) as observer:
        observer.facts.lag = 7
        time.sleep(1)
        observer.poll(0.1)
        assert observer.facts.lag == 7


def test_a_broker_that_has_gone_is_told(tmp_path: Path) -> None:
    settings = Settings.model_validate({"kafka": {"bootstrap": "127.0.0.1:1"}})
    with pytest.raises(TimeoutError):
        untaken(settings.kafka, {("bank.core", 0): 0})
