"""A rule that is warmed while events come counts each of them once, and says when it is warm."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Producer

from agents.backtest.archived import Archived
from agents.backtest.from_kafka import read_kafka
from agents.cli.main import run
from agents.clock import BankClock
from agents.librdkafka import librdkafka_config
from agents.register import read_register
from agents.sending import SendingError
from agents.topics import create
from agents.warming import run as warming
from agents.warming.plan import plan
from config.settings import Settings
from schemas.effects import Decision, decode_effect
from streams.partitioning import partition_of
from tests.kafka_server import KafkaServer
from tests.lane.health import health
from tests.lane.oracle import actual, assert_reconciled
from tests.lane.process import Worker, changed, settings_for, variables
from tests.lane.rules import rule, write

CUSTOMERS = 20
NOW = datetime.now(UTC)
SOURCE = ("--source", "kafka")
COUNTS = {"let": {"n": "count(transfer.completed, 1d)"}, "if": "n > 0"}


def transfers(settings: Settings, name: str, ago: timedelta, times: int = 1) -> int:
    """Of each customer."""
    producer = Producer({**librdkafka_config(settings.kafka), "enable.idempotence": False})
    for number in range(times * CUSTOMERS):
        key = f"C{number % CUSTOMERS}".encode()
        event = {
            "specversion": "1.0",
            "id": f"{name}-{number}",
            "source": "test",
            "type": "transfer.completed",
            "subject": key.decode(),
            "time": (NOW - ago + timedelta(seconds=number)).isoformat(),
            "data": {
                "transfer": f"{name}-{number}",
                "account": "A1",
                "direction": "in",
                "amount": "1",
                "base_amount": "1",
                "currency": "CNY",
            },
        }
        partition = partition_of(key, settings.topics.partitions)
        producer.produce("bank.core", json.dumps(event), key, partition)
    assert producer.flush(10) == 0
    return times * CUSTOMERS


def command(settings: Settings, *arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables(settings).items():
            patch.setenv(name, value)
        patch.setenv("VIPCARE_RULES__AUTHORS", "ann")
        patch.setenv("VIPCARE_RULES__PUBLISHERS", "bob")
        return run(["rules", *arguments])


def terminated(settings: Settings, tmp_path: Path) -> tuple[int, list[Path]]:
    """SIGTERM while it reads an archive that does not come: how it ends, and what is left."""
    archive, own = tmp_path / "archive.jsonl", tmp_path / "own"
    os.mkfifo(archive)
    own.mkdir()
    asked = ["rules", "warm", "new", "--events", str(archive), "--as", "bob"]
    process = subprocess.Popen(
        [sys.executable, "-m", "agents.cli.main", *asked],
        env={**os.environ, **variables(settings), "TMPDIR": str(own)}
        | {"VIPCARE_RULES__AUTHORS": "ann", "VIPCARE_RULES__PUBLISHERS": "bob"},
    )
    while not [*own.iterdir()] and process.poll() is None:
        time.sleep(0.05)
    process.terminate()
    return process.wait(60), [*own.iterdir()]


def counted(settings: Settings, name: str) -> set[tuple[str, bool]]:
    """What the rule on trial counted at events of a name, and whether it was warm; once all are
    there."""
    told: list[tuple[str, bool]] = []
    for partition in range(settings.topics.partitions):
        for _, value in actual(settings, partition).effects.get("vip.decisions", []):
            effect = decode_effect(value or b"")
            assert isinstance(effect, Decision)
            if effect.data.cause.id.startswith(f"{name}-"):
                told.append((effect.data.values["n"], effect.data.warm))
    return set(told) if len(told) == CUSTOMERS else set()


@pytest.fixture
def settings(fresh_kafka: KafkaServer, tmp_path: Path) -> Settings:
    found = settings_for(fresh_kafka.bootstrap, tmp_path / "one", transactions=True)
    found = changed(found, "worker", rules=write(tmp_path / "files", rule("old")))
    create(found)
    return found


@pytest.mark.kafka
@pytest.mark.slow
def test_a_warmed_rule_has_seen_everything_once(
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    new = write(tmp_path / "new", rule("new", 1, "shadow", **COUNTS))
    with Worker(settings) as worker:
        worker.wait_ready()
        assert command(settings, "seed", "--as", "bob") == 0
        sent = transfers(settings, "history", timedelta(days=3))
        sent += transfers(settings, "before", timedelta(hours=2), times=3)
        worker.wait_until(lambda: worker.total("vipcare_events_applied_total") == sent)
        assert command(settings, "warm", "new", *SOURCE, "--as", "bob") == 2
        assert "published and approved as shadow first" in capsys.readouterr().err
        assert command(settings, "warm", "new", *SOURCE) == 2
        assert "say who does this: --as NAME" in capsys.readouterr().err
        assert command(settings, "warm", "new", *SOURCE, "--as", "dan") == 2
        assert "dan is not one of rules.authors or rules.publishers: ann" in capsys.readouterr().err
        assert command(settings, "publish", str(new), "--as", "ann") == 0
        assert command(settings, "approve", "new", "--as", "bob") == 0
        newest = read_register(settings.kafka).state.offset
        worker.wait_until(lambda: worker.total("vipcare_rules_register") == newest)
        sent += transfers(settings, "since", timedelta(hours=1))
        worker.wait_until(lambda: counted(settings, "since") == {("1", False)})
        worker.wait_until(lambda: [*cold(worker)] == ["new@1"])

        whole, short = (would_send(settings, archive) for archive in archives(settings))
        assert whole == short != (0, 0)

        assert terminated(settings, tmp_path) == (130, [])

        # Its shares are sent, and it ends before it says so: they count once nevertheless.
        monkeypatch.setattr(warming, "done", _fail)
        assert command(settings, "warm", "new", *SOURCE, "--as", "bob") == 2
        monkeypatch.undo()
        worker.wait_until(lambda: filled(worker))
        worker.kill()
        worker.start().wait_ready()
        sent += transfers(settings, "filled", timedelta(minutes=50))
        worker.wait_until(lambda: counted(settings, "filled") == {("5", False)})
        capsys.readouterr()
        assert command(settings, "warm", "new", *SOURCE, "--as", "ann", "--json") == 0
        assert json.loads(capsys.readouterr().out)["customers"] == CUSTOMERS

        def is_warm() -> bool:
            assert command(settings, "why", "new", "C0", "--from", "store", "--json") == 0
            (answer,) = json.loads(capsys.readouterr().out)["answers"]
            return bool(answer["warm"])

        worker.wait_until(is_warm)
        assert command(settings, "warm", "new", *SOURCE, "--dry-run") == 2
        assert "is warm already" in capsys.readouterr().err
        assert command(settings, "history", "new") == 0
        day = f"{NOW - timedelta(days=3):%Y-%m-%d}"
        # The first was not run to its end: whoever looks finds it nevertheless.
        assert [line.split("  ")[1] for line in capsys.readouterr().out.splitlines()[-2:]] == [
            f"warmed new@1 shadow, by {who}: {CUSTOMERS} customers, from {day} on"
            for who in ("bob", "ann")
        ]
        sent += transfers(settings, "warm", timedelta(minutes=40))
        worker.wait_until(lambda: counted(settings, "warm") == {("6", True)})
        worker.wait_until(lambda: not cold(worker))
        assert worker.stop() == 0
    told_that_all_have_theirs = settings.topics.partitions
    assert_reconciled(settings, sent + 2 * CUSTOMERS + told_that_all_have_theirs)


def cold(worker: Worker) -> dict[str, str]:
    """Rules that are not warm, by its health."""
    found: dict[str, str] = health(worker).body["rules"]["cold"]
    return found


def filled(worker: Worker) -> bool:
    """All have their shares, and what was stepped is committed: a kill before it would leave them
    to be merged with what comes next, before or after it."""
    told = worker.metrics()
    steps, commits = (told.get(f"vipcare_chunk_{did}_seconds_count") for did in ("step", "commit"))
    return told.get("vipcare_windows_filled_total") == CUSTOMERS and steps == commits


def archives(settings: Settings) -> Iterator[Iterator[Archived]]:
    """All that Kafka has; and one that ends before the rule came into force, as a sink's does that
    is behind: the rest is read from Kafka."""
    yield read_kafka(settings)
    yield (one for one in read_kafka(settings) if one.offset < CUSTOMERS)


def would_send(settings: Settings, archive: Iterator[Archived]) -> tuple[int, int]:
    """To how many customers, and how much."""
    now = BankClock.from_settings(settings.clock).now()
    made = plan(settings, "new", _show)
    found = warming.warm(
        settings, made, archive, now, 1, _show, has_offsets=True, partly=False, who=None
    )
    return found.customers, found.bytes


def _show(*_: object) -> None:
    """Nobody looks."""


def _fail(*_: object) -> None:
    raise SendingError("gone")
