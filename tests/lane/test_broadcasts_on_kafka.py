"""A campaign reaches every customer once: workers die in the middle of it, partitions move,
customers come and do things meanwhile."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Producer

from agents.librdkafka import librdkafka_config
from agents.reading import read_partition
from agents.topics import create
from config.settings import Settings
from schemas.effects import Task, decode_effect
from streams.broadcasts import WALK_SLICE
from streams.partitioning import partition_of
from tests.kafka_server import KafkaServer
from tests.lane.oracle import assert_reconciled, journal
from tests.lane.process import Worker, changed, settings_for
from tests.lane.test_facts import send

PARTITIONS = 3
EMPTY = 2
"""The partition without a customer."""
SLICES = 14
NOW = datetime.now(UTC)
RULE = """\
id: tell-all
version: 1
title: {en: Tell, zh: 告知}
kind: care
owner: Events
status: live
on: campaign.announced
if: "true"
then:
  task:
    text: {en: "{title_en}", zh: "{title_zh}"}
"""
STALLS = ",".join(f"committed:stall=0.25@{number}" for number in range(2, 40))
"""They make a walk last for seconds."""


def settings_with_the_rule(bootstrap: str, folder: Path) -> Settings:
    rules = folder / "rules"
    rules.mkdir()
    (rules / "tell-all.yaml").write_text(RULE)
    data = folder / "first"
    settings = settings_for(bootstrap, data, transactions=True, partitions=PARTITIONS)
    return changed(settings, "worker", rules=rules)


def customers(prefix: str, count: int) -> list[str]:
    """So many of each partition but the empty one."""
    found: dict[int, list[str]] = {number: [] for number in range(PARTITIONS)}
    number = 0
    while any(len(ones) < count for where, ones in found.items() if where != EMPTY):
        name = f"{prefix}{number:06}"
        found[partition_of(name.encode(), PARTITIONS)].append(name)
        number += 1
    return [name for where, ones in found.items() if where != EMPTY for name in ones[:count]]


class Bank:
    def __init__(self, settings: Settings) -> None:
        self.sent = 0
        self._producer = Producer(librdkafka_config(settings.kafka))

    def login(self, names: Iterable[str]) -> None:
        for name in names:
            self.sent += 1
            event = {
                "specversion": "1.0",
                "id": f"L{self.sent}",
                "source": "test",
                "type": "logged.in",
                "subject": name,
                "time": NOW.isoformat(),
                "data": {"channel": "app"},
            }
            where = partition_of(name.encode(), PARTITIONS)
            self._producer.produce("bank.app", json.dumps(event), name, partition=where)
            self._producer.poll(0)
        assert self._producer.flush(30) == 0


def announce(settings: Settings, folder: Path, name: str) -> None:
    """As somebody sends a file with it."""
    days = {"starts_on": f"{NOW:%Y-%m-%d}", "ends_on": f"{NOW + timedelta(days=9):%Y-%m-%d}"}
    titles = {"title_zh": "高尔夫", "title_en": name}
    event = {
        "specversion": "1.0",
        "id": f"announced-{name}",
        "source": "/bank/campaign",
        "type": "campaign.announced",
        "subject": f"campaign:{name}",
        "time": NOW.isoformat(),
        "data": {"campaign": name, "category": "golf", **titles, **days},
    }
    send(settings, folder, [event])


def told(settings: Settings, name: str) -> Counter[str]:
    """Customer → how often the campaign was told."""
    found: Counter[str] = Counter()
    ids = set()
    for partition in range(PARTITIONS):
        for message in read_partition(settings.kafka, "vip.tasks", partition):
            task = decode_effect(message.value or b"")
            assert isinstance(task, Task)
            assert task.id not in ids
            ids.add(task.id)
            found[task.subject] += task.data.text["en"] == name
    return +found


def is_over(settings: Settings, begun: int) -> bool:
    """Whether every partition went through so many broadcasts, the empty one too."""
    walks = [journal(settings, number)[-1:] for number in range(PARTITIONS)]
    return all(last and last[0].walk.begun == begun and not last[0].walk.queue for last in walks)


def settled(worker: Worker, settings: Settings, bank: Bank) -> None:
    worker.wait_until(lambda: worker.total("vipcare_position") >= bank.sent)


@pytest.mark.kafka
@pytest.mark.slow
def test_kills_in_the_middle_while_customers_come_and_do_things(
    fresh_kafka: KafkaServer, tmp_path: Path
) -> None:
    settings = settings_with_the_rule(fresh_kafka.bootstrap, tmp_path)
    create(settings)
    bank, there = Bank(settings), customers("C", SLICES * WALK_SLICE)
    bank.login(there)
    with Worker(settings) as worker:
        settled(worker, settings, bank)
        assert worker.stop() == 0

    announce(settings, tmp_path, "tour")
    came: list[str] = []
    for point in ("before-commit:kill@4", "committed:kill@5", "changes-produced:kill@3"):
        with Worker(settings, fail=f"{STALLS},{point}") as worker:
            worker.process.wait(60)
        assert not is_over(settings, 1)
        newcomers = customers(f"N{len(came)}-", 20)
        bank.login([*there[::97], *newcomers])
        came += newcomers
    with Worker(settings, fail=STALLS) as worker:
        settled(worker, settings, bank)
        worker.wait_until(lambda: is_over(settings, 1))
        late = customers("late", 5)
        bank.login(late)  # it is running still
        settled(worker, settings, bank)
        assert worker.stop() == 0
    assert told(settings, "tour") == Counter([*there, *came, *late])
    assert_reconciled(settings, bank.sent)


@pytest.mark.kafka
@pytest.mark.slow
def test_partitions_move_in_the_middle(fresh_kafka: KafkaServer, tmp_path: Path) -> None:
    settings = settings_with_the_rule(fresh_kafka.bootstrap, tmp_path)
    other = changed(settings, "worker", data=tmp_path / "second")
    create(settings)
    bank, there = Bank(settings), customers("C", SLICES * WALK_SLICE)
    bank.login(there)
    with Worker(settings, fail=f"{STALLS}") as first, Worker(other, fail=STALLS) as second:
        first.wait_until(
            lambda: first.total("vipcare_position") + second.total("vipcare_position") == bank.sent
        )
        announce(settings, tmp_path, "tour")
        announce(settings, tmp_path, "concert")
        first.wait_until(lambda: len(told(settings, "tour")) > WALK_SLICE)
        second.kill()
        bank.login(there[::97])
        first.wait_until(lambda: is_over(settings, 2), 90)
        settled(first, settings, bank)
        assert first.stop() == 0
    for name in ("tour", "concert"):
        assert told(settings, name) == Counter(there)
    assert_reconciled(settings, bank.sent)
