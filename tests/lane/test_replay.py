"""Break, mend, replay: the records are those of a worker for which nothing was ever wrong."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer

from agents.cli.main import run
from agents.faults import Fault
from agents.librdkafka import librdkafka_config
from agents.reading import read_topic
from agents.topics import create
from config.settings import RefusalSettings, Settings, StepSettings
from schemas.dead_letters import DeadLetter, parse_dead_letter
from schemas.record import Record
from tests.kafka_server import KafkaServer
from tests.lane.oracle import actual
from tests.lane.process import Worker, changed, settings_for, variables
from tests.lane.rules import with_few

CUSTOMERS = ("C1", "C2", "C3")
GOOD, AHEAD = timedelta(hours=-1), timedelta(hours=2)
ENTRY = 16
"""Bytes of an id among a record's recent ones."""


class Feed:
    """Events of a few customers on one partition, a millisecond apart."""

    def __init__(self, settings: Settings) -> None:
        self.sent = 0
        self._base = datetime.now(UTC)
        config = {**librdkafka_config(settings.kafka), "enable.idempotence": False}
        self._producer = Producer(config)

    def send(self, count: int, away: timedelta = GOOD) -> None:
        for _ in range(count):
            n = self.sent
            self.sent += 1
            topic, kind, data = _content(n)
            customer = CUSTOMERS[n % len(CUSTOMERS)]
            time = self._base + away + timedelta(milliseconds=n)
            self.put(topic, customer, str(n), kind, time, data)
        assert self._producer.flush(30) == 0

    def put(
        self, topic: str, customer: str, name: str, kind: str, time: datetime, data: dict[str, Any]
    ) -> None:
        event = {
            "specversion": "1.0",
            "id": name,
            "source": "test",
            "type": kind,
            "subject": customer,
            "time": time.isoformat(),
            "data": data,
        }
        self._producer.produce(topic, json.dumps(event), customer, partition=0)


def _content(n: int) -> tuple[str, str, dict[str, Any]]:
    if n % 5 == 0:
        return "bank.core", "customer.updated", {"occupation": f"number {n}"}
    return "bank.app", "page.viewed", {"page": f"page {n % 7}"}


def letters(settings: Settings) -> list[DeadLetter]:
    return [
        parse_dead_letter(found.headers, found.key, found.value)
        for found in read_topic(settings.kafka, "vip.dead-letters")
    ]


def records(settings: Settings) -> dict[str, Any]:
    """Customer → what the record says, whatever the order in which it heard of it."""
    stored = actual(settings, 0).records
    assert stored.keys() == set(CUSTOMERS)
    return {customer: _plain(Record(customer, value)) for customer, value in stored.items()}


def _plain(record: Record) -> Any:
    activity = record.activity
    recent = activity.recent
    entries = sorted(recent[at : at + ENTRY] for at in range(0, len(recent), ENTRY))
    told = msgspec.structs.replace(activity, recent=bytearray().join(entries))
    sections = (msgspec.msgpack.encode(section) for section in (record.profile, told))
    return record.header.sequence, *map(msgspec.msgpack.decode, sections)


def run_until(settings: Settings, taken: int) -> Worker:
    """A worker until so many messages are taken; it has ended."""
    with Worker(settings) as worker:
        worker.wait_until(lambda: worker.total("vipcare_position") >= taken)
        assert worker.stop() == 0
    return worker


def in_order(settings: Settings, sent: int) -> dict[str, Any]:
    """What a worker makes of it all that was mended from the first event on."""
    twin = changed(settings, "worker", app="twin", data=settings.worker.data.with_name("twin"))
    create(twin)
    run_until(twin, sent)
    return records(twin)


@pytest.mark.kafka
def test_break_mend_replay(
    fresh_kafka: KafkaServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    broken = _settings(fresh_kafka.bootstrap, tmp_path, tolerance_s=300)
    mended = _settings(fresh_kafka.bootstrap, tmp_path, tolerance_s=86_400)
    create(broken)
    feed = Feed(broken)
    feed.send(40)
    feed.send(4, AHEAD)
    feed.send(20)
    run_until(broken, feed.sent)
    feed.send(200, AHEAD)
    feed.send(30)
    with Worker(broken) as worker:
        assert worker.process.wait(60) == Fault.REFUSING
    buried = len(letters(broken))
    assert 4 <= buried < 100
    expected = in_order(mended, feed.sent)

    for name, value in variables(mended).items():
        monkeypatch.setenv(name, value)
    assert run(["dead-letters", "replay", "--category", "time"]) == 0
    assert f"{buried} dead letters replayed" in capfd.readouterr().out
    run_until(mended, feed.sent + buried)
    assert len(letters(mended)) == buried
    assert records(mended) == expected

    # Once more, by mistake and on purpose.
    assert run(["dead-letters", "replay", "--all"]) == 0
    told = capfd.readouterr().out
    assert "0 dead letters replayed" in told
    assert f"{buried} replayed already" in told
    assert run(["dead-letters", "replay", "--all", "--again"]) == 0
    run_until(mended, feed.sent + 2 * buried)
    assert records(mended) == expected

    refused_again(mended, feed, buried, capfd)


def refused_again(
    settings: Settings, feed: Feed, before: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """A conflict stays one: the second letter names the first, and is a letter like any other."""
    for page in ("one", "other"):
        when = datetime.now(UTC) + GOOD
        feed.put("bank.app", CUSTOMERS[0], "same", "page.viewed", when, {"page": page})
    feed.send(1)
    taken = feed.sent + 2 + 2 * before
    run_until(settings, taken)
    (first,) = letters(settings)[before:]
    assert (first.reason, first.first) == ("conflict", "")
    capfd.readouterr()
    assert run(["dead-letters", "replay", str(first.place), "--again"]) == 0
    assert "1 dead letter replayed" in capfd.readouterr().out
    run_until(settings, taken + 1)
    (_, second) = letters(settings)[before:]
    assert (second.reason, second.topic) == ("conflict", "vip.internal")
    assert second.first == str(first.place)
    assert (second.key, second.value) == (first.key, first.value)


def _settings(bootstrap: str, folder: Path, tolerance_s: int) -> Settings:
    settings = with_few(settings_for(bootstrap, folder / "data", transactions=True, partitions=1))
    limit = RefusalSettings(window=60, share=0.5, minimum=10)
    step = StepSettings(future_tolerance_s=tolerance_s, duplicates_kept=4_000)
    return settings.model_copy(update={"refusals": limit, "step": step})
