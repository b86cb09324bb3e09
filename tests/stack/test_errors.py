"""Bad input to every command: one line that names the culprit, exit status 2, no traceback."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agents.cli.errors import UserError
from agents.cli.main import run
from agents.cli.ops import serve
from config.settings import Settings
from schemas.metrics import WORKER
from sinks.metrics import Metrics
from tests.stack.processes import NOWHERE, ended, refused, started, vipcare

KAFKA = {"VIPCARE_KAFKA__BOOTSTRAP": NOWHERE}
CLICKHOUSE = {"VIPCARE_CLICKHOUSE__HOST": "127.0.0.1", "VIPCARE_CLICKHOUSE__PORT": "1"}
EVERY_COMMAND_WITH_SETTINGS = [
    ["up", "--for", "1s"],
    ["clickhouse"],
    ["worker"],
    ["sink"],
    ["bank"],
    ["topics", "check"],
    ["migrate"],
    ["dead-letters", "list"],
    ["settings"],
]

COMMANDS_THAT_NEED_KAFKA = [
    "topics create",
    "topics check",
    "worker",
    "sink",
    "bank",
    "dead-letters list",
    "dead-letters show bank.core:0:0",
]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def without_kafka() -> Iterator[dict[str, "subprocess.Popen[str]"]]:
    """All these commands at once: each waits five seconds for an answer."""
    with ExitStack() as stack:
        yield {
            command: stack.enter_context(started(*command.split(), **KAFKA))
            for command in COMMANDS_THAT_NEED_KAFKA
        }


@pytest.mark.parametrize("command", COMMANDS_THAT_NEED_KAFKA)
def test_kafka_that_is_not_there(
    command: str, without_kafka: dict[str, "subprocess.Popen[str]"]
) -> None:
    assert NOWHERE in refused(ended(without_kafka[command], timeout_s=120))


@pytest.mark.parametrize(
    "args", [["topics", "check"], ["worker"], ["sink"], ["bank"], ["dead-letters", "list"]]
)
@pytest.mark.parametrize(
    "wrong",
    [{"SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, {"SECURITY_PROTOCOL": "SSL", "CA_FILE": "/no.pem"}],
)
def test_settings_of_which_no_client_can_be_made(
    args: list[str],
    wrong: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in wrong.items():
        monkeypatch.setenv(f"VIPCARE_KAFKA__{name}", value)
    assert run(args) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("vipcare: settings: environment variable VIPCARE_KAFKA__")
    assert "VIPCARE_KAFKA__SASL_MECHANISM" in said or "/no.pem" in said


def test_kafka_that_is_not_there_when_events_are_sent(tmp_path: Path) -> None:
    event = {
        "specversion": "1.0",
        "type": "page.viewed",
        "id": "1",
        "source": "/test",
        "subject": "C1",
        "time": "2026-01-05T09:00:00+08:00",
        "data": {"page": "home"},
    }
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps(event) + "\n", encoding="utf-8")
    assert NOWHERE in refused(vipcare("events", "send", str(file), **KAFKA))


def test_clickhouse_that_is_not_there() -> None:
    assert "127.0.0.1:1" in refused(vipcare("migrate", **CLICKHOUSE))


@pytest.mark.parametrize("args", [["events", "check"], ["events", "send"], ["rules", "check"]])
def test_a_missing_file(args: list[str], tmp_path: Path) -> None:
    missing = tmp_path / "missing.file"
    assert "missing.file" in refused(vipcare(*args, str(missing)))


@pytest.mark.parametrize(
    "args",
    [
        ["up", "--clock-rate", "inf"],
        ["up", "--clock-rate", "nan"],
        ["up", "--for", "9" * 400 + "h"],
        ["bank", "--rate", "inf"],
        ["bank", "--rate", "nan"],
        ["bank", "--days", "99999999"],
        ["bank", "--for", "9" * 400 + "s"],
    ],
)
def test_a_number_without_bounds_is_refused(
    args: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(args) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert args[1] in said


@pytest.mark.parametrize("args", EVERY_COMMAND_WITH_SETTINGS, ids=" ".join)
def test_a_settings_file_that_is_broken_is_named_with_its_line(
    args: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("kafka:\n  bootstrap: [a,\n", encoding="utf-8")
    monkeypatch.setenv("VIPCARE_SETTINGS", str(settings))
    assert run(args) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert f"{settings}:" in said


@pytest.mark.parametrize("args", EVERY_COMMAND_WITH_SETTINGS, ids=" ".join)
def test_an_unknown_setting_is_named_with_the_nearest(
    args: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIPCARE_KAFKA__BOOTSTRAPP", "a:1")
    assert run(args) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "VIPCARE_KAFKA__BOOTSTRAPP" in said
    assert "VIPCARE_KAFKA__BOOTSTRAP" in said.replace("VIPCARE_KAFKA__BOOTSTRAPP", "")


@pytest.mark.parametrize("name", ["broker", "clickhouse"])
def test_a_taken_port_is_named(name: str, taken: int, tmp_path: Path) -> None:
    data = ["--data", str(tmp_path)] if name == "clickhouse" else []
    assert str(taken) in refused(vipcare(name, "--port", str(taken), *data))


@pytest.mark.broker
@pytest.mark.parametrize("name", ["worker", "sink"])
def test_a_taken_metrics_port_is_named(
    name: str, taken: int, fresh_broker: str, tmp_path: Path
) -> None:
    kafka = {"VIPCARE_KAFKA__BOOTSTRAP": fresh_broker, "VIPCARE_KAFKA__TRANSACTIONS": "false"}
    assert vipcare("topics", "create", **kafka).returncode == 0
    own = {f"VIPCARE_{name.upper()}__METRICS_PORT": str(taken)}
    assert str(taken) in refused(vipcare(name, **kafka, **own))


@pytest.mark.broker
@pytest.mark.parametrize("name", ["worker", "sink"])
def test_a_broker_without_transactions_is_said_at_the_start(
    name: str, fresh_broker: str, tmp_path: Path
) -> None:
    """Else it would run, and count twice what a kill repeats, without a word."""
    kafka = {"VIPCARE_KAFKA__BOOTSTRAP": fresh_broker}
    assert vipcare("topics", "create", **kafka).returncode == 0
    line = refused(vipcare(name, **kafka, VIPCARE_WORKER__DATA=str(tmp_path)))
    assert "keeps no transactions" in line
    assert "VIPCARE_KAFKA__TRANSACTIONS=false" in line


@pytest.mark.parametrize("section", ["worker", "sink"])
@pytest.mark.parametrize("host", ["nonsense.invalid", "192.0.2.1", "a..b", ""])
def test_a_host_that_is_not_this_machine_is_told_from_a_taken_port(host: str, section: str) -> None:
    service = getattr(Settings(), section).model_copy(update={"host": host})
    with pytest.raises(UserError, match=f"VIPCARE_{section.upper()}__HOST") as refused:
        serve(Metrics(WORKER), service, section)
    assert "METRICS_PORT" not in str(refused.value)


@pytest.mark.parametrize("section", ["worker", "sink"])
def test_a_taken_port_is_told_from_a_wrong_host(section: str, taken: int) -> None:
    service = getattr(Settings(), section).model_copy(update={"metrics_port": taken})
    with pytest.raises(UserError, match=f"VIPCARE_{section.upper()}__METRICS_PORT") as refused:
        serve(Metrics(WORKER), service, section)
    assert "__HOST" not in str(refused.value)


@pytest.mark.parametrize("address", ["", "nonsense", "a b:1", "kafka:9092;other:9092"])
def test_an_address_of_another_shape_is_refused_at_once(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIPCARE_KAFKA__BOOTSTRAP", address)
    assert run(["topics", "check"]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "VIPCARE_KAFKA__BOOTSTRAP" in said
    assert "host:port" in said


def test_up_names_every_wrong_line_of_the_rules_before_it_starts_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "one.yaml").write_text("id: one\nversion: none\n", encoding="utf-8")
    monkeypatch.setenv("VIPCARE_WORKER__RULES", str(tmp_path))
    assert run(["up", "--data", str(tmp_path / "data")]) == 2
    told = capsys.readouterr()
    assert "one.yaml:2" in told.err
    assert "if: this key is missing" in told.err
    assert not told.out
    assert not (tmp_path / "data").exists()
