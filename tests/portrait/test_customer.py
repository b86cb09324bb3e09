"""`vipcare customer show`, beside a worker that runs: out of its store, and out of Kafka."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from agents.cli.main import run
from agents.librdkafka import librdkafka_config
from agents.topics import create
from config.settings import Settings
from tests.ops.pipeline import environment, settings_for, wait_applied, worker
from tests.portrait.story import CUSTOMER, messages

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def running(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A worker at work that has applied every example of schemas/ for one customer."""
    settings = settings_for(broker, tmp_path_factory.mktemp("show"), transactions=False)
    create(settings)
    producer = Producer(librdkafka_config(settings.kafka))
    for raw in messages():
        assert raw.value is not None
        producer.produce(raw.topic, raw.value, raw.key, partition=raw.partition)
    producer.flush(20)
    with worker(settings):
        wait_applied(settings)
        yield settings


@pytest.fixture(autouse=True)
def settings(running: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment(running).items():
        monkeypatch.setenv(name, value)
    return running


def shown(capfd: pytest.CaptureFixture[str], *options: str) -> dict[str, object]:
    assert run(["customer", "show", CUSTOMER, "--json", *options]) == 0
    data: dict[str, object] = json.loads(capfd.readouterr().out)
    return data


def test_the_store_and_kafka_say_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    store = shown(capfd, "--from", "store", "--personal")
    kafka = shown(capfd, "--from", "kafka", "--personal")
    assert "the worker's store" in str(store.pop("source"))
    assert "vipcare-customers-changelog" in str(kafka.pop("source"))
    assert store == kafka
    assert store["profile"]["name"] == "曾浩然"  # type: ignore[index]  # an object


def test_looking_writes_nothing_into_the_workers_folder(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    config = [*settings.worker.data.glob("*/rocksdict-config.json")]
    before = [(path, path.stat().st_mtime_ns) for path in config]
    assert before
    shown(capfd)
    assert [(path, path.stat().st_mtime_ns) for path in config] == before


def test_the_picture_masks(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["customer", "show", CUSTOMER]) == 0
    text = capfd.readouterr().out
    assert "曾***" in text
    assert "曾浩然" not in text
    assert "time line" in text


@pytest.mark.parametrize("place", ["store", "kafka"])
def test_an_unknown_customer(place: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["customer", "show", "C999", "--from", place]) == 2
    error = capfd.readouterr().err
    assert error.startswith("vipcare: customer 'C999' is not in ")
    assert "dead-letters list" in error


def test_without_a_copy_it_says_where_else_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIPCARE_WORKER__DATA", str(tmp_path))
    assert run(["customer", "show", CUSTOMER, "--from", "store"]) == 2
    assert "--from kafka" in capfd.readouterr().err
    assert "changelog" in str(shown(capfd)["source"])
