"""`vipcare bank` and `vipcare events` as a user runs them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from agents.bank.lines import from_line
from agents.bank.message import SOURCES
from agents.local.broker import EmbeddedBroker
from agents.reading import Found, read_topic
from agents.sending import Sending, SendingError
from agents.topics import create
from config.settings import KafkaSettings, Settings
from schemas.events.reference import GLOBAL_TOPICS
from streams.partitioning import partition_of
from tests.schemas.examples import EVENT_EXAMPLES

COMMAND = [sys.executable, "-m", "agents.cli.main"]
SMALL = ["--customers", "20", "--days", "5", "--for", "2s"]
NOWHERE = "127.0.0.1:9"


def vipcare(*args: object, stdin: str = "", **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *map(str, args)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **env},
    )


def embedded(bootstrap: str) -> dict[str, str]:
    return {"VIPCARE_KAFKA__BOOTSTRAP": bootstrap, "VIPCARE_KAFKA__TRANSACTIONS": "false"}


def read_all(bootstrap: str, topic: str) -> list[Found]:
    return list(read_topic(KafkaSettings(bootstrap=bootstrap), topic))


def refused(done: "subprocess.CompletedProcess[str]") -> str:
    """What a command said that refused: on stderr, without a traceback, with status 2."""
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("vipcare: ")
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture
def event_file(tmp_path: Path) -> Path:
    file = tmp_path / "events.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in EVENT_EXAMPLES))
    return file


def test_two_runs_write_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b", "c")]
    for number, file in enumerate(files):
        seed = 1 if file.name == "c" else 0
        done = vipcare("bank", "--out", file, "--seed", seed, *SMALL, PYTHONHASHSEED=str(number))
        assert done.returncode == 0, done.stderr
    first, second, third = (file.read_bytes() for file in files)
    assert first == second != third
    assert len(first.splitlines()) > 200
    assert all(from_line(line) for line in first.splitlines())


def test_a_dash_is_standard_output(tmp_path: Path) -> None:
    file = tmp_path / "bank.jsonl"
    assert vipcare("bank", "--out", file, *SMALL).returncode == 0
    done = vipcare("bank", "--out", "-", *SMALL)
    assert done.returncode == 0, done.stderr
    assert done.stdout == file.read_text()
    assert not Path("-").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["bank", "--out", "/nowhere/file"], "cannot be written"),
        (["bank", "--for", "1s"], f"Kafka at {NOWHERE} does not answer"),
        (["bank", "--customers", "0"], "--customers"),
        (["bank", "--days", "1096", "--out", "-"], "'--days': 1096"),
        (["events", "check", "nowhere.jsonl"], "nowhere.jsonl"),
        (["events", "check", "-"], "there is no event in it"),
        (["events", "send", "-"], "there is no event in it"),
    ],
)
def test_a_mistake_is_told_in_one_line(args: list[str], said: str) -> None:
    assert said in refused(vipcare(*args, VIPCARE_KAFKA__BOOTSTRAP=NOWHERE))


@pytest.mark.parametrize("command", [["bank", "--out", "-"], ["up", "--for", "5s"]])
def test_the_bank_is_not_played_in_another_base_currency(command: list[str]) -> None:
    """Its amounts would be told as if one CNY were one USD."""
    said = refused(vipcare(*command, VIPCARE_STEP__BASE_CURRENCY="USD"))
    assert "reckons in CNY" in said
    assert "--no-bank" in said


def test_an_interrupted_file_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "bank.jsonl"
    file.write_text("as it was")
    process = subprocess.Popen(
        [*COMMAND, "bank", "--out", str(file), "--customers", "5000"],
        stderr=subprocess.PIPE,
        text=True,
    )
    part = tmp_path / "bank.jsonl.part"
    while process.poll() is None and not (part.exists() and part.stat().st_size > 10_000):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert [one.name for one in tmp_path.iterdir()] == ["bank.jsonl"]
    assert file.read_text() == "as it was"


def test_check_names_lines_and_shows_no_value(event_file: Path) -> None:
    done = vipcare("events", "check", event_file)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{len(EVENT_EXAMPLES)} events, none broken\n"
    broken = {**EVENT_EXAMPLES[0], "time": "Zeng Haoran"}
    with event_file.open("a") as file:
        file.write("\n" + json.dumps(broken) + "\n{\n")
    number = len(EVENT_EXAMPLES) + 2
    said = refused(vipcare("events", "check", event_file))
    assert f"{event_file}:{number}: Invalid RFC3339" in said
    assert f"{event_file}:{number + 1}: " in said
    assert f"2 of {number} events broken" in said
    assert "Zeng" not in said


def test_what_the_worker_would_refuse_or_ignore_is_told(tmp_path: Path) -> None:
    event = EVENT_EXAMPLES[0]
    base = {
        **{"specversion": "1.0", "id": "r", "source": "/bank", "time": event["time"]},
        **{"type": "exchange_rate.set", "subject": "exchange_rate:CNY"},
        "data": {"exchange_rate": "CNY", "rate": "2"},
    }
    ahead = event | {"id": "ahead", "time": "2999-01-01T00:00:00Z"}
    file = tmp_path / "odd.jsonl"
    lines = [event, event, base, ahead, event | {"time": "2026-02-01T00:00:00Z"}]
    file.write_text("\n".join(map(json.dumps, lines)))
    done = vipcare("events", "check", file)
    assert done.returncode == 2
    assert "warning: line 2: it is line 1 again" in done.stderr
    assert "warning: line 3: CNY is the base currency" in done.stderr
    assert f"{file}:4: its time is ahead of the bank clock" in done.stderr
    assert f"{file}:5: line 1 has another event of its source and id" in done.stderr
    assert "2 of 5 events broken" in done.stderr


def test_a_json_array_is_one_mistake_not_many_lines(tmp_path: Path) -> None:
    file = tmp_path / "array.json"
    file.write_text(json.dumps(EVENT_EXAMPLES, indent=2))
    (line,) = refused(vipcare("events", "check", file)).splitlines()
    assert "jq -c '.[]' makes lines of it" in line.replace("`", "")


def test_an_unknown_type_is_warned_of_and_needs_a_topic() -> None:
    line = json.dumps({**EVENT_EXAMPLES[0], "type": "newer"})
    done = vipcare("events", "check", "-", stdin=line)
    assert done.returncode == 0
    assert "line 1: type 'newer' is unknown" in done.stderr
    assert "--topic" in refused_line(vipcare("events", "send", "-", stdin=line))


def refused_line(done: "subprocess.CompletedProcess[str]") -> str:
    """As `refused`, after a warning."""
    assert done.returncode == 2
    return done.stderr


@pytest.mark.broker
def test_events_of_a_file_arrive_by_type_and_key(fresh_broker: str, event_file: Path) -> None:
    env = embedded(fresh_broker)
    assert "vipcare topics create" in refused(vipcare("events", "send", event_file, **env))
    create(Settings(kafka=KafkaSettings(bootstrap=fresh_broker)))
    with event_file.open("a") as file:
        file.write("{\n")
    assert "none was sent" in refused(vipcare("events", "send", event_file, **env))
    assert read_all(fresh_broker, "bank.core") == []
    lines = event_file.read_text().splitlines()[:-1]
    done = vipcare("events", "send", "-", stdin="\n".join(lines), **env)
    assert done.returncode == 0, done.stderr
    for topic in ("bank.core", "bank.card", "bank.app", "bank.service", "crm.feedback"):
        found = read_all(fresh_broker, topic)
        assert f"{len(found)} to {topic}" in done.stdout
        assert all(message.key == b"C100042" for message in found)
        assert {message.value.decode() for message in found if message.value} <= set(lines)


@pytest.mark.broker
def test_the_bank_sends_what_it_would_write(fresh_broker: str, tmp_path: Path) -> None:
    """The same seed, origin and clock: the file, sent as it is, and then by the bank itself."""
    create(Settings(kafka=KafkaSettings(bootstrap=fresh_broker)))
    env = embedded(fresh_broker) | {
        "VIPCARE_BANK__BROKEN": "0.1",
        "VIPCARE_CLOCK__ORIGIN": "2026-03-02T00:00:00Z",
        "VIPCARE_CLOCK__STARTED": datetime.now(UTC).isoformat(),
    }
    file = tmp_path / "bank.jsonl"
    assert vipcare("bank", "--out", file, *SMALL, **env).returncode == 0
    messages = [from_line(line) for line in file.read_bytes().splitlines()]
    written = Counter((m.topic, m.key, m.value) for m in messages if m)
    assert "--as-is" in refused_line(vipcare("events", "send", file, **env))
    sent = vipcare("events", "send", "--as-is", file, **env)
    assert sent.returncode == 0, sent.stderr
    assert _found(fresh_broker) == written
    assert vipcare("bank", *SMALL, **env).returncode == 0
    assert _found(fresh_broker) >= written + written, "live, it goes on a little longer"


def _found(bootstrap: str) -> "Counter[tuple[str, bytes | None, bytes | None]]":
    return Counter(
        (f.topic, f.key, f.value)
        for topic in (*SOURCES, *GLOBAL_TOPICS)
        for f in read_all(bootstrap, topic)
    )


@pytest.mark.broker
def test_the_live_bank_ends_by_itself_and_at_a_signal(fresh_broker: str) -> None:
    create(Settings(kafka=KafkaSettings(bootstrap=fresh_broker)))
    env = embedded(fresh_broker)
    began = time.monotonic()
    done = vipcare("bank", *SMALL, **env)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 15
    before = len(read_all(fresh_broker, "bank.core"))
    assert before > 50
    process = subprocess.Popen(
        [*COMMAND, "bank", "--customers", "20", "--days", "1"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )
    assert process.stderr is not None
    assert "then live" in process.stderr.readline()
    time.sleep(2)  # for the first, workers read the facts
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    assert "messages sent" in process.stderr.read()
    assert len(read_all(fresh_broker, "bank.core")) > before


@pytest.mark.broker
def test_a_second_signal_ends_a_bank_whose_kafka_is_gone() -> None:
    with EmbeddedBroker() as broker:
        create(Settings(kafka=KafkaSettings(bootstrap=broker.bootstrap)))
        process = subprocess.Popen(
            [*COMMAND, "bank", "--customers", "20", "--days", "0", "--rate", "50"],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **embedded(broker.bootstrap)},
        )
        assert process.stderr is not None
        while "; live" not in process.stderr.readline():
            assert process.poll() is None
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == -signal.SIGTERM
    process.stderr.close()


@pytest.mark.broker
def test_who_waited_for_kafka_in_vain_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.sending._DELIVERY_S", 1.0)
    with EmbeddedBroker() as broker:
        settings = KafkaSettings(bootstrap=broker.bootstrap, transactions=False)
        create(Settings(kafka=settings))
        sending = Sending(settings, {"bank.core"}).__enter__()
    sending.send("bank.core", b"C1", b"{}")
    with pytest.raises(SendingError, match=r"did not take 1 messages \(no answer for 1 .*doctor"):
        sending.flush()


def _keys_land(bootstrap: str, topic: str, transactions: bool) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for made in admin.create_topics([NewTopic(topic, 6, 1)]).values():
        made.result()
    lines = [json.dumps({**EVENT_EXAMPLES[0], "subject": f"客{n}"}) for n in range(60)]
    env = embedded(bootstrap) | {"VIPCARE_KAFKA__TRANSACTIONS": str(transactions).lower()}
    done = vipcare("events", "send", "-", "--topic", topic, stdin="\n".join(lines), **env)
    assert done.returncode == 0, done.stderr
    found = read_all(bootstrap, topic)
    assert len(found) == 60
    for message in found:
        assert message.key is not None
        assert message.partition == partition_of(message.key, 6)


@pytest.mark.broker
def test_keys_land_as_in_kafka_on_the_embedded_broker(broker: str) -> None:
    _keys_land(broker, "test-bank-keys", transactions=False)


@pytest.mark.kafka
def test_keys_land_as_in_kafka_on_kafka(kafka: str) -> None:
    _keys_land(kafka, "test-bank-keys", transactions=True)
