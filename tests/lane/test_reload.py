"""Rules that change under load, and workers that are killed meanwhile: each transfer is judged
once, by the rules that the journal names, and all workers come to the same ones."""

import threading
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from agents.cli.main import run
from agents.register import read_register
from agents.topics import create
from config.settings import Settings
from tests.kafka_server import KafkaServer
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
