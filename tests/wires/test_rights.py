"""The table of rights is what the parts need on Apache Kafka: with them they work, without one of
them they say which."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from clickhouse_driver import Client

from agents.cli.topics import topics
from agents.rights import ROLES, Right, Role, rights_of
from agents.rights_check import missing_rights
from agents.sending import Sending
from config.settings import Settings
from tests.schemas.examples import EVENT_EXAMPLES
from tests.sink.running import topic_of
from tests.sink.server import Server
from tests.stack.processes import refused, vipcare
from tests.wires.acls import give, parsed, take, until
from tests.wires.parts import Part
from tests.wires.secure_kafka import SecureKafka, environment, settings_of, variables

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize("role", ROLES)
def test_the_lines_are_the_table(role: Role) -> None:
    shown = CliRunner().invoke(topics, ["acls", role, "--user", "CN=who, O=Bank"])
    assert shown.exit_code == 0
    lines = [parsed(line) for line in shown.output.splitlines()]
    assert {principal for principal, _ in lines} == {"User:CN=who, O=Bank"}
    found = [right for _, rights in lines for right in rights]
    assert sorted(found) == sorted(rights_of(role, Settings()))


def send(secure: SecureKafka, name: str) -> int:
    """Every example of an event, as its bank sends it, and one that is broken; returns how many."""
    settings = settings_of(secure, "bank")
    examples = [
        {**example, "id": f"{name}-{number}", "time": "2026-11-20T09:00:00Z"}
        for number, example in enumerate(EVENT_EXAMPLES)
    ]
    told = [(topic_of(one), one["subject"].encode(), one) for one in examples]
    told = [one for one in told if one[0].startswith(("bank.", "crm."))]
    with Sending(settings.kafka, {topic for topic, _, _ in told}) as sending:
        for topic, key, example in told:
            sending.send(topic, key, json.dumps(example).encode())
        sending.send("bank.core", b"C1", b"{")
    return len(told)


@pytest.mark.timeout(400)
def test_with_exactly_these_rights_the_whole_path_works(
    given: SecureKafka, clickhouse: Server, tmp_path: Path
) -> None:
    with (
        Part("worker", tmp_path, environment(given, "worker", tmp_path)) as worker,
        Part("sink", tmp_path, environment(given, "sink", tmp_path, clickhouse.port)) as sink,
    ):
        worker.wait_for("worker_ready")
        sink.wait_for("sink_ready")
        sent = send(given, "all-rights")
        client = Client("127.0.0.1", clickhouse.port, database="vipcare")

        def count(what: str) -> int:
            return client.execute(f"SELECT count() FROM {what}")[0][0]

        until(lambda: count("events WHERE startsWith(id, 'all-rights-')") == sent, "events", 180)
        until(lambda: count("dead_letters") > 0, "dead letters", 60)
        until(lambda: count("customers") > 0, "customers", 60)
        assert worker.stop() == 0
        assert sink.stop() == 0
    operator = variables("kafka", given.login("operator"))
    listed = vipcare("dead-letters", "list", **operator)
    assert "broken" in listed.stdout, listed.stderr
    assert vipcare("topics", "check", **operator).returncode == 0


@pytest.mark.parametrize("role", ["worker", "sink", "crm"])
def test_each_right_that_is_taken_is_named(role: Role, given: SecureKafka) -> None:
    settings, admin, user = settings_of(given, role), given.admin(), f"User:{role}"
    assert missing_rights(role, settings) == []
    for right in rights_of(role, settings):
        if right.prefixed:
            continue  # Kafka does not tell of these: see the next test
        take(admin, user, [right])
        try:
            until(lambda right=right: right in missing_rights(role, settings), str(right))
            # Where nothing is left that lets it see a thing, Kafka tells nothing of it.
            assert {one.name for one in missing_rights(role, settings)} == {right.name}
        finally:
            give(admin, user, [right])
    until(lambda: not missing_rights(role, settings), "all rights are back")


@pytest.mark.parametrize(
    ("role", "right"),
    [
        ("worker", Right("Write", "topic", "vip.alerts")),
        ("worker", Right("Read", "group", "vipcare")),
        ("sink", Right("Read", "topic", "vip.tasks")),
        ("bank", Right("Write", "topic", "bank.card")),
        ("bank", Right("Write", "topic", "bank.reference")),
    ],
)
def test_a_part_without_a_right_is_refused_at_its_start(
    role: Role, right: Right, given: SecureKafka, tmp_path: Path
) -> None:
    take(given.admin(), f"User:{role}", [right])
    try:
        until(lambda: bool(missing_rights(role, settings_of(given, role))), str(right))
        line = refused(vipcare(role, **environment(given, role, tmp_path)))
        assert f"does not let the user {role} do all" in line
        assert str(right) in line
        assert f"vipcare topics acls {role}" in line
    finally:
        give(given.admin(), f"User:{role}", [right])


def test_who_sends_a_file_needs_the_rights_of_its_events_alone(
    given: SecureKafka, tmp_path: Path
) -> None:
    right, bank = Right("Write", "topic", "bank.card"), variables("kafka", given.login("bank"))
    files = {}
    for example in EVENT_EXAMPLES:
        files[topic_of(example)] = file = tmp_path / f"{topic_of(example)}.jsonl"
        file.write_text(json.dumps({**example, "time": "2026-11-20T09:00:00Z"}))
    take(given.admin(), "User:bank", [right])
    try:
        until(lambda: bool(missing_rights("bank", settings_of(given, "bank"))), str(right))
        line = refused(vipcare("events", "send", str(files["bank.card"]), **bank))
        assert "does not let the user bank do all that the bank does: missing is" in line
        assert str(right) in line
        sent = vipcare("events", "send", str(files["bank.app"]), **bank)
        assert "1 event sent: 1 to bank.app" in sent.stdout, sent.stderr
    finally:
        give(given.admin(), "User:bank", [right])


def test_a_replay_without_its_right_sends_nothing(given: SecureKafka) -> None:
    right = Right("Write", "topic", "vip.internal")
    take(given.admin(), "User:operator", [right])
    try:
        until(lambda: right in missing_rights("operator", settings_of(given, "operator")), "taken")
        operator = variables("kafka", given.login("operator"))
        line = refused(vipcare("dead-letters", "replay", "--customer", "nobody", **operator))
        assert str(right) in line
        assert "`vipcare topics acls operator`" in line
    finally:
        give(given.admin(), "User:operator", [right])


def test_a_worker_without_its_transactions_says_so(given: SecureKafka, tmp_path: Path) -> None:
    right = Right("Write", "transactional-id", "vipcare-", prefixed=True)
    take(given.admin(), "User:worker", [right])
    try:
        with Part("worker", tmp_path, environment(given, "worker", tmp_path)) as worker:
            assert worker.ended() == 11, worker.said()[-2_000:]
            assert str(right) in worker.said()
    finally:
        give(given.admin(), "User:worker", [right])


@pytest.mark.parametrize(
    "right",
    [
        Right("Read", "topic", "bank.core"),
        Right("Write", "topic", "vip.journal"),
        Right("Read", "group", "vipcare"),
    ],
    ids=str,
)
def test_a_right_that_is_taken_from_a_running_worker_is_said(
    right: Right, given: SecureKafka, tmp_path: Path
) -> None:
    with Part("worker", tmp_path, environment(given, "worker", tmp_path)) as worker:
        worker.wait_for("worker_ready")
        take(given.admin(), "User:worker", [right])
        try:
            send(given, f"taken-{right.name}")
            assert worker.ended() == 11, worker.said()[-2_000:]
            assert str(right) in worker.said()
            assert "vipcare topics acls worker" in worker.said()
        finally:
            give(given.admin(), "User:worker", [right])


def test_a_right_that_is_taken_from_a_running_sink_is_said(
    given: SecureKafka, clickhouse: Server, tmp_path: Path
) -> None:
    right = Right("Read", "topic", "bank.card")
    with Part("sink", tmp_path, environment(given, "sink", tmp_path, clickhouse.port)) as sink:
        sink.wait_for("sink_ready")
        take(given.admin(), "User:sink", [right])
        try:
            sink.wait_for(str(right))
            assert "vipcare topics acls sink" in sink.said()
            assert sink.process.poll() is None
        finally:
            give(given.admin(), "User:sink", [right])
