"""Topics are made once and checked against the table, on both brokers."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from agents.local.broker import EmbeddedBroker
from agents.topics import TopicsError, all_topics, changelog, check, create
from config.settings import KafkaSettings, Settings, TopicSettings
from schemas.effects import TOPIC_OF
from schemas.events import EVENT_TYPES, INPUT_TOPICS
from tests.kafka_server import KafkaServer


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """A broker without topics."""
    if request.param == "kafka":
        server: KafkaServer = request.getfixturevalue("fresh_kafka")
        yield server.bootstrap
        return
    with EmbeddedBroker() as broker:
        yield broker.bootstrap


def _settings(bootstrap: str, partitions: int = 3) -> Settings:
    return Settings(
        kafka=KafkaSettings(bootstrap=bootstrap), topics=TopicSettings(partitions=partitions)
    )


def _make(bootstrap: str, name: str, partitions: int, cleanup: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    topic = NewTopic(name, partitions, 1, config={"cleanup.policy": cleanup})
    admin.create_topics([topic])[name].result()


def test_every_topic_of_the_schemas_is_in_the_table() -> None:
    names = {topic.name for topic in all_topics(Settings())}
    assert {event.topic for event in EVENT_TYPES.values()} <= set(INPUT_TOPICS) <= names
    assert set(TOPIC_OF.values()) <= names
    assert changelog("vipcare") == "vipcare-customers-changelog"
    assert changelog("vipcare") in names


def test_the_readme_has_every_topic_as_it_is_made() -> None:
    readme = (Path(__file__).parents[2] / "agents/README.md").read_text()
    section = readme.partition("## The topics")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| `")]
    told = {
        name: (shape.strip(), kept)
        for _, names, shape, kept, *_ in rows
        for name in re.findall("`([^`]+)`", names)
    }
    topics = {topic.name: topic for topic in all_topics(Settings())}
    assert told.keys() == topics.keys()
    for name, topic in topics.items():
        shape, kept = told[name]
        assert shape == ("by customer" if topic.keyed else "whole"), name
        forever = "compacted" if topic.cleanup == "compact" else "for ever"
        assert (f"{topic.days} days" if topic.days > 0 else forever) in kept, name


def test_created_topics_check_and_are_made_once(address: str) -> None:
    settings = _settings(address)
    assert len(check(settings)) == len(all_topics(settings))
    made = create(settings)
    assert set(made) == {topic.name for topic in all_topics(settings)}
    assert check(settings) == []
    assert create(settings) == []


def test_what_differs_is_told(address: str) -> None:
    _make(address, "bank.core", 5, "delete")
    _make(address, "vip.profiles", 3, "delete")
    _make(address, "bank.org", 2, "compact")
    settings = _settings(address)
    create(settings)
    assert sorted(check(settings)) == [
        "topic bank.core has 5 partitions, not 3: the number is fixed for the life of a deployment",
        "topic bank.org has 2 partitions, not 1: it is global",
        "topic vip.profiles has cleanup.policy=delete, not compact",
    ]


@pytest.mark.parametrize("ask", [create, check])
def test_no_kafka_is_one_clear_line(ask: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.topics._TIMEOUT_S", 0.5)
    assert callable(ask)
    with pytest.raises(TopicsError) as caught:
        ask(_settings("127.0.0.1:9"))
    assert "127.0.0.1:9 does not answer" in str(caught.value)
    assert "\n" not in str(caught.value)
