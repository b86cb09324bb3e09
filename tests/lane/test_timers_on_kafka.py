"""Timers through a real worker: on an idle partition, behind a backlog, and after a kill."""

import json
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from confluent_kafka import Producer

from agents.clock import BankClock
from agents.librdkafka import librdkafka_config
from agents.reading import read_partition
from agents.topics import create
from config.load_rules import SHIPPED
from config.settings import ClockSettings, Settings
from schemas.effects import Task, decode_effect
from schemas.envelope import to_millis
from streams.partitioning import partition_of
from tests.kafka_server import KafkaServer
from tests.lane.events import produce_events
from tests.lane.oracle import assert_reconciled
from tests.lane.process import Worker, settings_for

HOUR = timedelta(hours=1)
MATURES = "2026-01-20"
DUE = datetime(2026, 1, 13, 1, tzinfo=UTC)
"""Five business days before, at nine in Shanghai; a Tuesday, so that a week later they are, too."""

HEAD = """\
version: 1
title: {en: A, zh: 甲}
kind: care
owner: Tests
status: live
if: true
then: {task: {text: {en: A, zh: 甲}}}
"""
RULES = {
    "unfinished": "on: journey.started\nwait: {for: 24h, without: journey.completed}\n",
    "birthday": "wait: {days: 0, before: birthday, every: year}\n",
}


class Bank:
    """Says what happens to deposits. An hour of the bank passes in a second."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.sent = 0
        self._producer = Producer(librdkafka_config(settings.kafka))

    def tell(self, topic: str, customer: str, kind: str, at: datetime, **data: Any) -> None:
        self.sent += 1
        event = {
            "specversion": "1.0",
            "id": f"{customer}-{self.sent}",
            "source": "test",
            "type": kind,
            "subject": customer,
            "time": at.isoformat(),
            "data": data,
        }
        key = customer.encode()
        partition = partition_of(key, self.settings.topics.partitions)
        self._producer.produce(topic, json.dumps(event), key, partition=partition)
        assert self._producer.flush(10) == 0

    def place(self, customer: str, at: datetime, matures_on: str = MATURES) -> None:
        big = {"principal": "2000000", "base_principal": "2000000", "rate": "0.02"}
        self._deposit(customer, "deposit.placed", at, matures_on=matures_on, **big)

    def redeem(self, customer: str, at: datetime) -> None:
        self._deposit(customer, "deposit.redeemed", at, amount="2000000")

    def _deposit(self, customer: str, kind: str, at: datetime, **data: Any) -> None:
        self.tell("bank.core", customer, kind, at, deposit="D1", currency="CNY", **data)

    def journey(self, customer: str, kind: str, at: datetime) -> None:
        self.tell("bank.app", customer, f"journey.{kind}", at, journey="fx", attempt="A1")

    def born(self, customer: str, at: datetime, birthday: str) -> None:
        self.tell("bank.core", customer, "customer.updated", at, birthday=birthday)


def tasks(settings: Settings, rule: str = "large-deposit-maturing") -> dict[str, tuple[Task, int]]:
    """Customer → the rule's task, and Kafka's timestamp of it; each exactly once."""
    found: dict[str, tuple[Task, int]] = {}
    for partition in range(settings.topics.partitions):
        for message in read_partition(settings.kafka, "vip.tasks", partition):
            task = decode_effect(message.value or b"")
            assert isinstance(task, Task)
            if task.data.rule.id == rule:
                assert task.subject not in found
                found[task.subject] = task, message.timestamp
    return found


def wait_for(clock: BankClock, moment: datetime) -> None:
    time.sleep(max(0.0, (to_millis(moment) - clock.now()) / 1000 / clock.rate))


def _rules(folder: Path) -> Path:
    """The one that is shipped, one that waits for an answer, and one of every year."""
    folder.mkdir()
    shutil.copy(SHIPPED / "large-deposit-maturing.yaml", folder)
    for rule, says in RULES.items():
        (folder / f"{rule}.yaml").write_text(f"id: {rule}\n{HEAD}{says}")
    return folder


@pytest.mark.kafka
def test_timers_fire_once_neither_early_nor_behind_a_backlog(
    fresh_kafka: KafkaServer, tmp_path: Path
) -> None:
    begun = datetime.now(UTC)
    plain = settings_for(fresh_kafka.bootstrap, tmp_path / "data", transactions=True)
    # Half a minute from here to when the first timers are due: the worker starts meanwhile.
    clocked = ClockSettings(rate=3_600, origin=DUE - 30 * HOUR, started=begun)
    worker_settings = plain.worker.model_copy(update={"rules": _rules(tmp_path / "rules")})
    settings = plain.model_copy(update={"clock": clocked, "worker": worker_settings})
    clock = BankClock.from_settings(settings.clock)
    create(settings)
    bank = Bank(settings)
    others = 2_000
    with Worker(settings) as worker:
        worker.wait_ready(2)
        bank.place("killed", DUE - 29 * HOUR)
        bank.place("idle", DUE - 29 * HOUR)
        bank.place("later", DUE - 29 * HOUR, "2026-02-16")
        bank.place("answered", DUE - 29 * HOUR)
        for customer in ("silent", "finished"):
            bank.journey(customer, "started", DUE - 24 * HOUR)
        bank.born("born", DUE - 29 * HOUR, "1980-01-13")
        worker.wait_until(lambda: worker.total("vipcare_events_applied_total") == bank.sent)
        worker.kill()
        # What waits when the worker comes back, after the time: the answer was in time.
        produce_events(settings, others, seed=1)
        bank.redeem("answered", DUE - HOUR)
        bank.journey("finished", "completed", DUE - HOUR)
        wait_for(clock, DUE + HOUR)
        assert not tasks(settings)
        worker.start()
        worker.wait_until(lambda: len(tasks(settings)) == 2)
        assert sorted(tasks(settings)) == ["idle", "killed"]
        worker.wait_until(lambda: len(tasks(settings, "unfinished")) == 1)
        assert list(tasks(settings, "unfinished")) == ["silent"]
        worker.wait_until(lambda: len(tasks(settings, "birthday")) == 1)

        soon = datetime.fromtimestamp(clock.now() / 1000, UTC)
        day = (soon.astimezone(ZoneInfo("Asia/Shanghai")) + timedelta(days=8)).date().isoformat()
        bank.place("running", soon, day)
        worker.wait_until(lambda: "running" in tasks(settings))
        task, sent = tasks(settings)["running"]
        assert clock.at(sent) >= to_millis(task.time), "not early"
        assert task.data.waited_until == task.time
        assert worker.stop() == 0
    assert_reconciled(settings, bank.sent + others)
