"""What identifies a person, and what opens a door, is in no log, metric, header or error message.

The whole path runs on a secured Apache Kafka with marks in every sensitive field of every event
(the schemas say which those are), in passwords and in account numbers, at the most talkative
level; events are broken in every field, ClickHouse refuses rows, a worker crashes in the middle.
Then everything that any part said is searched for the marks.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_driver import Client
from hypothesis import given as generated
from hypothesis import strategies as st

from agents.fail_points import SWITCH, VARIABLE
from agents.reading import read_topic
from agents.sending import Sending
from schemas.decode import BrokenEventError, UnknownTypeError, decode_event
from schemas.events import EVENT_TYPES, INPUT_TOPICS
from schemas.events.reference import FACT_TYPES
from tests.sink.server import Server
from tests.stack.processes import vipcare
from tests.wires.acls import until
from tests.wires.marked import (
    ACCOUNTS,
    MARK,
    MARKS,
    NUMBERED,
    Example,
    broken,
    found_in,
    key_of,
    marked_events,
)
from tests.wires.parts import Part
from tests.wires.secure_kafka import SecureKafka, environment, password_of, settings_of

EVENTS = list(marked_events())
TOPICS = {name: cls.topic for name, cls in (EVENT_TYPES | FACT_TYPES).items()}
LETTERS = "vip.dead-letters"
TALKATIVE = {
    "VIPCARE_LOG__LEVEL": "debug",
    "VIPCARE_REFUSALS__ACCEPT": ",".join(INPUT_TOPICS),  # nearly everything is broken
}


def test_every_sensitive_field_of_the_schemas_has_a_mark() -> None:
    marked = {event["type"] for event in EVENTS if found_in(json.dumps(event["data"]), MARKS)}
    assert {"customer.updated", "complaint.raised", "message.received", "task.declined"} <= marked
    updated = next(one["data"] for one in EVENTS if one["type"] == "customer.updated")
    for field in ("name", "phone", "email", "identity_number", "employer", "birthday", "family"):
        assert found_in(json.dumps(updated[field]), MARKS), field


def test_what_is_said_of_a_broken_event_has_no_mark() -> None:
    said = {(what, _refusal(message)) for what, message in broken(EVENTS)}
    assert len({what for what, text in said if text}) > 150
    assert not [what for what, text in said if found_in(text, MARKS)]


@generated(st.text(max_size=20), st.sampled_from(EVENTS), st.data())
def test_whatever_is_around_a_mark(noise: str, event: Example, data: st.DataObject) -> None:
    fields = event["data"]
    name = data.draw(st.sampled_from(sorted(fields)))
    wrong = data.draw(st.sampled_from([[MARK + noise], {MARK + noise: 1}, noise + MARK * 400]))
    message = json.dumps({**event, "data": {**fields, name: wrong}}).encode()
    assert MARK not in _refusal(message)


def _refusal(message: bytes) -> str:
    try:
        decode_event(message)
    except BrokenEventError as error:
        return str(error)
    except UnknownTypeError:
        pass  # a type is a word of the sender's, and no person's
    return ""


@pytest.fixture
def strict(clickhouse: Server) -> Iterator[Client]:
    """A ClickHouse that does not take the events of one customer, and quotes their rows."""
    client = Client("127.0.0.1", clickhouse.port, database="vipcare")
    client.execute("ALTER TABLE events_raw ADD CONSTRAINT no CHECK customer != 'C666'")
    yield client
    client.execute("ALTER TABLE events_raw DROP CONSTRAINT no")


def send(secure: SecureKafka) -> int:
    """Everything, good and bad; returns how many are no events."""
    kafka = settings_of(secure, "bank").kafka
    bad = 0
    with Sending(kafka, set(TOPICS.values())) as sending:
        for event in EVENTS:
            topic, value = TOPICS[event["type"]], json.dumps(event).encode()
            sending.send(topic, key_of(event), value)
            sending.send(topic, MARK.encode(), value)  # another's key
            changed = event | {"data": event["data"] | {"more": MARK}}
            sending.send(topic, key_of(event), json.dumps(changed).encode())  # a conflict
            refused = event | {"subject": "C666", "id": f"refused-{event['type']}"}
            sending.send(topic, b"C666", json.dumps(refused).encode())
        for what, message in broken(EVENTS):
            topic = TOPICS.get(what.rpartition(".")[0], "bank.core")
            sending.send(topic, b"C1", message)
            bad += topic not in ("bank.reference", "bank.org")
    return bad


@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_nothing_that_any_part_says_has_a_mark(
    given: SecureKafka, clickhouse: Server, strict: Client, tmp_path: Path
) -> None:
    said: dict[str, str | bytes] = {}
    marks = (*MARKS, *(password_of(user) for user in ("worker", "sink", "bank", "operator")))
    worker_of = environment(given, "worker", tmp_path) | TALKATIVE
    sink_of = environment(given, "sink", tmp_path, clickhouse.port) | TALKATIVE
    crash = {VARIABLE: "changes-produced:raise@2", SWITCH: "yes"}
    with Part("sink", tmp_path, sink_of) as sink:
        with Part("worker", tmp_path, worker_of | crash) as worker:
            worker.wait_for("worker_ready")
            bad = send(given)
            worker.ended(120)
        with Part("worker", tmp_path, worker_of) as worker:
            until(lambda: _count(strict, "dead_letters") > bad / 2, "dead letters", 120)
            until(lambda: _count(strict, "dead_letters WHERE reason = 'refused'") > 0, "rows", 120)
            until(lambda: _count(strict, "events WHERE startsWith(id, 'whole-')") > 0, "rows", 120)
            for part, process in (("worker", worker), ("sink", sink)):
                for path in ("/metrics", "/healthz", "/readyz"):
                    said[f"{part} {path}"] = process.page(path)
            assert worker.stop() == 0
        assert sink.stop() == 0
    said |= {"worker": worker.said(), "sink": sink.said()}
    operator = environment(given, "operator", tmp_path, clickhouse.port)
    said |= _commands(operator, tmp_path)
    content = b""
    for found in read_topic(settings_of(given, "operator").kafka, LETTERS):
        content += found.value or b""
        place = f"{found.topic}[{found.partition}]@{found.offset}"
        said[place] = b"\n".join(value for _, value in found.headers)
    assert MARK.encode() in content, "the search finds nothing where marks are"
    assert NUMBERED.encode() in content
    assert all(len(text) for text in said.values())
    leaks = {
        where: found
        for where, text in said.items()
        if (found := found_in(text, marks if where.startswith("customer") else (*marks, NUMBERED)))
    }
    assert not leaks, "\n".join(f"{where}: {found}" for where, found in list(leaks.items())[:20])


def _commands(environment: dict[str, str], folder: Path) -> dict[str, str]:
    """What commands say on standard output and error, of the same data and of a file of it."""
    file = folder / "events.jsonl"
    lines = [json.dumps(event).encode() for event in EVENTS]
    lines += [message.replace(b"\n", b" ") for _, message in broken(EVENTS)]
    file.write_bytes(b"\n".join(lines))
    subject = next(one["subject"] for one in EVENTS if one["type"] == "customer.updated")
    commands = [
        "settings",
        "topics check",
        f"events check {file}",
        f"events send {file}",
        "dead-letters list",
        "dead-letters show bank.core[0]@0",
        f"customer show {subject} --from kafka",
        "doctor",
        "migrate",
    ]
    said = {}
    for command in commands:
        done = vipcare(*command.split(), **environment)
        said[command] = f"{done.stdout}\n{done.stderr}"
    wrong = environment | {"VIPCARE_KAFKA__SASL_MECHANISM": "SCRAM-MARKED"}
    done = vipcare("topics", "check", **wrong)
    said["a wrong setting"] = done.stdout + done.stderr
    return said


def _count(client: Client, what: str) -> int:
    return int(client.execute(f"SELECT count() FROM {what}")[0][0])


def test_account_numbers_are_among_the_marks() -> None:
    for field in ACCOUNTS:
        assert any(NUMBERED in str(event["data"].get(field, "")) for event in EVENTS)
