"""Rules that change under load, and workers that are killed meanwhile: each transfer is judged
once, by the rules that the journal names, and all workers come to the same ones."""

import json
import threading
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from agents.cli.main import run
from agents.librdkafka import librdkafka_config
from agents.register import read_register
from agents.topics import create
from config.settings import Settings
from schemas.rule_register import (
    ACTIVE_KEY,
    RULES_TOPIC,
    Active,
    RegisterKey,
    RuleVersion,
    Standing,
    encode_register,
)
from tests.kafka_server import KafkaServer
from tests.lane.health import health
from tests.lane.oracle import assert_reconciled, journal
from tests.lane.process import Worker, changed, settings_for, variables
from tests.lane.rules import outcomes, rule, transfers, write
from tests.lane.test_facts import send

CUSTOMERS = 50


class Load:
    """Sends transfers as long as it is open, on a thread of its own."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.names: list[str] = []

    def _run(self) -> None:
        for number in count():
            if self._stop.is_set():
                return
            events = [*transfers(f"load{number}", CUSTOMERS)]
            send(self._settings, self._folder, events)
            self.names += [event["id"] for event in events]

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def rules_command(settings: Settings, *arguments: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables(settings).items():
            patch.setenv(name, value)
        patch.setenv("VIPCARE_RULES__AUTHORS", "ann")
        patch.setenv("VIPCARE_RULES__PUBLISHERS", "bob")
        assert run(["rules", *arguments]) == 0


@pytest.mark.kafka
@pytest.mark.slow
def test_rules_change_under_load_and_workers_are_killed(
    fresh_kafka: KafkaServer, tmp_path: Path
) -> None:
    settings = settings_for(fresh_kafka.bootstrap, tmp_path / "one", transactions=True)
    files = write(tmp_path / "files", rule("a"), rule("gone"))
    settings = changed(settings, "worker", rules=files)
    other = changed(settings, "worker", data=tmp_path / "other")
    create(settings)
    with ExitStack() as open_:
        one, two = (open_.enter_context(Worker(each)) for each in (settings, other))
        for worker in (one, two):
            worker.wait_ready(1)
        with Load(settings, tmp_path) as load:
            rules_command(settings, "seed", "--as", "bob")
            for number in range(2, 6):
                new = write(tmp_path / f"v{number}", rule("a", number))
                rules_command(settings, "publish", str(new), "--as", "ann")
                if number == 3:
                    one.kill()
                    one.start()
                rules_command(settings, "approve", "a", "--as", "bob")
                if number == 4:
                    two.kill()
                    two.start()
                    rules_command(settings, "approve", "gone", "--status", "retired", "--as", "bob")
                time.sleep(1.0)
            newest = read_register(settings.kafka).state.offset
            for worker in (one, two):
                worker.wait_until(
                    lambda: worker.total("vipcare_rules_register") == newest  # noqa: B023
                )
        sent = len(load.names)
        last = [*transfers("last", CUSTOMERS)]
        send(settings, tmp_path, last)

        def applied() -> bool:
            found = outcomes(settings)
            return {event["id"] for event in last} <= found.get("a@5 alert", set())

        two.wait_until(applied)
        for worker in (one, two):
            assert worker.stop() == 0
    assert_reconciled(settings, sent + CUSTOMERS)
    found = outcomes(settings)
    judged = [name for key, names in found.items() if key.startswith("a@") for name in names]
    assert sorted(judged) == sorted([*load.names, *(event["id"] for event in last)])
    for number in range(settings.topics.partitions):
        registers = [position.register for position in journal(settings, number)]
        assert registers[-1] == newest
        assert {0} < {*registers}
    assert not found["gone@1 alert"] & {event["id"] for event in last}


@pytest.mark.broker
@pytest.mark.slow
def test_what_cannot_be_used_changes_nothing_and_is_said(fresh_broker: str, tmp_path: Path) -> None:
    settings = settings_for(fresh_broker, tmp_path / "one", transactions=False)
    settings = changed(settings, "worker", rules=write(tmp_path / "files", rule("a")))
    create(settings)

    def judged(name: str, by: str) -> None:
        events = [*transfers(name, CUSTOMERS)]
        send(settings, tmp_path, events)
        names = {event["id"] for event in events}
        worker.wait_until(lambda: names <= outcomes(settings).get(by, set()))

    with Worker(settings) as worker:
        worker.wait_ready()
        rules_command(settings, "seed", "--as", "bob")
        worker.wait_until(lambda: worker.total("vipcare_rules_register") == 2)
        newer = {**rule("a", 2), "on_the_moon": True}
        _write_past_the_commands(settings, newer, number=2)
        worker.wait_until(lambda: worker.total("vipcare_rules_refused_total") == 1)
        worker.wait_until(lambda: _refused(worker).startswith("offset 4: a@2: on_the_moon"))
        told = health(worker)
        assert (told.status, told.body["rules"]["publication"]) == (200, 1)
        assert '"event": "rules_refused"' in worker.log.read_text()
        judged("meanwhile", "a@1 alert")
        worker.kill()
        worker.start().wait_ready()
        worker.wait_until(lambda: _refused(worker).startswith("offset 4: a@2: on_the_moon"))
        judged("started-again", "a@1 alert")
        _write_past_the_commands(settings, rule("a", 3), number=3)
        worker.wait_until(lambda: _refused(worker) == "")
        judged("mended", "a@3 alert")
        assert worker.stop() == 0
    assert_reconciled(settings, 3 * CUSTOMERS)


def _refused(worker: Worker) -> str:
    """What its health says of the newest rules that it cannot use."""
    return str(health(worker).body.get("rules", {}).get("refused", "?"))


def _write_past_the_commands(settings: Settings, definition: dict[str, Any], number: int) -> None:
    """As a newer version of ours would, or somebody with a tool of his own."""
    name, version = definition["id"], definition["version"]
    told = RuleVersion(definition=json.dumps(definition), source="", author="x", at="")
    rules = {name: Standing(version, "live")}
    active = Active(number=number, rules=rules, by="x", at="")
    producer = Producer({**librdkafka_config(settings.kafka), "enable.idempotence": False})
    key = RegisterKey("rule", name, version).encode()
    producer.produce(RULES_TOPIC, encode_register(told), key, partition=0)
    producer.produce(RULES_TOPIC, encode_register(active), ACTIVE_KEY, partition=0)
    assert producer.flush(10) == 0
