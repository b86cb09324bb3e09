"""`vipcare rules seed|publish|approve|rollback|status|history|diff` against a broker."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from agents import reading
from agents.cli.main import run
from agents.core import core_settings, rule_set
from agents.doctor.finding import Verdict
from agents.doctor.machine import rules
from agents.librdkafka import librdkafka_config
from agents.reading import Found, read_partition, read_topic
from agents.reconciliation.past_rules import PastRules
from agents.register import read_register, rules_in_force
from agents.registrar import Registrar, RegistrarError
from agents.topics import create
from config.settings import KafkaSettings, RegisterSettings, Settings, WorkerSettings
from schemas.audit import decode_audited
from schemas.position import Position, encode_position
from schemas.rule_register import ACTIVE_KEY, RULES_TOPIC, Active, Standing, encode_register
from streams.rules.lifecycle import approve
from streams.rules.register import RuleBook
from tests.backtest.test_command import transfer
from tests.doctor.looking import found, the_only
from tests.kafka_server import KafkaServer
from tests.lane.rules import rule, write

Said = Callable[..., str]
NAMES = {"AUTHORS": "ann,bob", "PUBLISHERS": "bob carl"}


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Said:
    """Runs a command that must end with a status; what it said."""

    def runs(*arguments: str, status: int = 0) -> str:
        ended = run(["rules", *arguments])
        out, err = capfd.readouterr()
        assert ended == status, out + err
        assert "Traceback" not in err
        return err if status else out

    return runs


def settings_at(
    bootstrap: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *, transactions: bool
) -> Settings:
    files = write(folder / "files", rule("a"), rule("b", status="shadow"))
    monkeypatch.setenv("VIPCARE_KAFKA__BOOTSTRAP", bootstrap)
    monkeypatch.setenv("VIPCARE_KAFKA__TRANSACTIONS", str(transactions))
    monkeypatch.setenv("VIPCARE_WORKER__RULES", str(files))
    for name, value in NAMES.items():
        monkeypatch.setenv(f"VIPCARE_RULES__{name}", value)
    settings = Settings(
        kafka=KafkaSettings(bootstrap=bootstrap, transactions=transactions),
        worker=WorkerSettings(rules=files),
        rules=RegisterSettings(authors=("ann", "bob"), publishers=("bob", "carl")),
    )
    create(settings)
    return settings


@pytest.fixture(params=["broker", "kafka"])
def settings(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    if request.param == "broker":
        bootstrap = request.getfixturevalue("fresh_broker")
    else:
        bootstrap = request.getfixturevalue("fresh_kafka").bootstrap
    return settings_at(bootstrap, tmp_path, monkeypatch, transactions=request.param == "kafka")


pytestmark = pytest.mark.kafka


def test_the_life_of_a_rule(
    settings: Settings, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = core_settings(settings)
    of_files = rule_set(settings).digest
    assert "the register is empty" in said("status")
    new = str(write(tmp_path / "new", rule("a", 2, title={"en": "Second", "zh": "二"})))
    assert "`vipcare rules seed` puts" in said("publish", new, "--as", "ann", status=2)
    assert "publication 1: 2 rules" in said("seed", "--as", "carl")
    assert rules_in_force(settings, core).rules.digest == of_files
    assert "already" in said("seed", "--as", "carl", status=2)

    assert "published a@2, to be live" in said("publish", new, "--as", "ann")
    assert "0 published, 1 were there already" in said("publish", new, "--as", "bob")
    assert "a@1  live  (a@2 by ann waits for approval)" in said("status")
    assert rules_in_force(settings, core).rules.digest == of_files
    assert "a@2 is live, after live 1" in said("approve", "a", "--as", "bob")
    assert "a@2  live\nb@1  shadow" in said("status")
    assert '+  "en": "Second"' in said("diff", "a", "--from", "1")
    assert "a@1 is live, after live 2" in said("rollback", "a", "--to", "1", "--as", "carl")
    assert "a@1  live  (a@2 was live)\n" in said("status")
    assert rules_in_force(settings, core).rules.digest == of_files
    assert "b@1 is live" in said("approve", "b", "--status", "live", "--as", "bob")

    told = [line.split("  ", 1)[1] for line in said("history", "a").splitlines()]
    assert told == [
        "seeded a@1 live, by carl (publication 1)",
        "published a@2, by ann",
        "approved a@2 live, before live 1, by bob (publication 2)",
        "rolled back a@1 live, before live 2, by carl (publication 3)",
    ]
    audited = [decode_audited(one.value or b"") for one in read_topic(settings.kafka, "vip.audit")]
    assert [(one.type, one.subject) for one in audited] == [
        ("rules.seeded", "carl"),
        ("rules.published", "ann"),
        ("rules.approved", "bob"),
        ("rules.rolled_back", "carl"),
        ("rules.approved", "bob"),
    ]
    was_in_force(settings, monkeypatch)
    told_by_doctor = "2 rules in force by publication 4 of vip.rules; files are"
    the_only(found(rules, settings), Verdict.OK, told_by_doctor)
    assert "a@1  live  service  transfer.completed\n" in said("list")


def test_what_asks_about_a_rule_goes_by_the_register(
    settings: Settings, said: Said, tmp_path: Path
) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text(transfer(1, 1, 100))
    archive = ("--events", str(events))
    assert "\na@1  live" in "\n" + said("explain")
    said("seed", "--as", "carl")
    new = write(tmp_path / "new", rule("a", 2, title={"en": "Second", "zh": "二"}), rule("c"))
    said("publish", str(new), "--as", "ann")
    said("approve", "a", "--as", "bob")
    said("approve", "c", "--status", "shadow", "--as", "bob")
    assert "a@2  live" in said("explain", "a")
    assert "c@1  shadow" in said("explain", "c")
    assert {*json.loads(said("profile", "a", "c", *archive, "--json"))["rules"]} == {"a@2", "c@1"}
    assert "a@2  Second" in said("why", "a", "C1", "--event", "1", *archive)
    assert "c" in json.loads(said("backtest", "c", *archive, "--json"))["rules"]


def test_what_is_isolated_is_called_so(settings: Settings, said: Said, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text(transfer(1, 1, 100))
    said("seed", "--as", "carl")
    producer = Producer({**librdkafka_config(settings.kafka)})
    told = '{"errors":20,"worker":"w1","at":"2026-11-29T09:00:00Z"}'
    producer.produce("vip.rules", told, "isolated:a@1")
    assert producer.flush(10) == 0
    isolated = "isolated since 2026-11-29T09:00:00Z: a shadow after 20 errors in a worker on w1"
    assert "a@1  live (isolated)\n" in (status := said("status"))
    assert f"a@1 is {isolated}" in status
    advice = the_only(found(rules, settings), Verdict.WARN, f"rule a@1 is {isolated}").advice
    assert "its next version is not isolated" in advice
    assert "a@1  shadow (isolated)" in (listed := said("list"))
    assert isolated in listed
    assert isolated in said("explain", "a")
    assert isolated not in said("explain", "b")
    why = ("why", "a", "C1", "--events", str(events), "--event")
    first = "status: told as it stood when the register began: live"
    assert first in said(*why, "1")
    events.write_text(transfer(1, 1, 100) + "\n" + of_now(2))
    then = "status: it was isolated then, a shadow: what it would do was recorded, not done"
    assert then + "\n" in (shown := said(*why, "2"))
    assert "it fires, and what it would do is recorded instead" in shown
    said("approve", "a", "--as", "bob")
    assert first in said(*why, "1")
    assert then + "; it is live now\n" in said(*why, "2")
    assert {one.verdict for one in found(rules, settings)} == {Verdict.OK}


def of_now(number: int) -> str:
    told = json.loads(transfer(number, 1, 100))
    return json.dumps(told | {"time": datetime.now(UTC).isoformat()})


def was_in_force(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What each state of the register put in force is made again, and it is read once."""
    begun: list[int] = []

    def noted(kafka: KafkaSettings, topic: str, partition: int, start: int = 0) -> Iterator[Found]:
        begun.append(start)
        return read_partition(kafka, topic, partition, start)

    monkeypatch.setattr(reading, "read_partition", noted)
    book, past = RuleBook(), PastRules(settings, core_settings(settings))
    for one in read_topic(settings.kafka, "vip.rules"):
        book.take(one.raw())
    begun.clear()
    for state in book.latest():
        status = {one.id: (one.version, one.status) for one in past.at(state.offset).definitions}
        standing = state.active.rules if state.active else {}
        told = {rule: (one.version, one.status) for rule, one in standing.items()}
        assert status == (told or {"a": (1, "live"), "b": (1, "shadow")})
    assert begun == [0]
    with pytest.raises(ValueError, match="cannot be made again: what is there ends at"):
        past.at(1)


def test_who_may_not_is_told(settings: Settings, said: Said, tmp_path: Path) -> None:
    new = str(write(tmp_path / "new", rule("c")))
    message = said("seed", "--as", "ann", status=2)
    assert "ann is not one of rules.publishers: bob, carl. Set VIPCARE_RULES__PUB" in message
    said("seed", "--as", "carl")
    assert "carl is not one of rules.authors" in said("publish", new, "--as", "carl", status=2)
    said("publish", new, "--as", "bob")
    assert "c@1 is by bob: somebody else" in said("approve", "c", "--as", "bob", status=2)
    assert "was never in force" in said("approve", "c", "--as", "carl", status=2)
    assert "c@1 is shadow" in said("approve", "c", "--status", "shadow", "--as", "carl")


def test_a_broken_publication_changes_nothing(
    settings: Settings, said: Said, tmp_path: Path
) -> None:
    said("seed", "--as", "carl")
    before = len(read_register(settings.kafka).versions)
    folder = write(tmp_path / "new", rule("c"), rule("d", **{"if": "base_amont > 1"}))
    message = said("publish", str(folder), "--as", "ann", status=2)
    assert f"{folder / 'd.yaml'}:12:" in message
    assert "base_amount" in message
    given = {"at": "2026-03-01", "event": "transfer.completed", "with": {"base_amount": 1}}
    given["with"] |= {"direction": "out"}  # type: ignore[operator]  # a dictionary
    example = {"title": "one", "given": [given], "expect": []}
    folder = write(tmp_path / "other", rule("e", examples=[example]))
    message = said("publish", str(folder), "--as", "ann", status=2)
    assert f"{folder / 'e.yaml'}:" in message
    assert "came and was not expected" in message
    changed = write(tmp_path / "third", rule("a", kind="risk"))
    message = said("publish", str(changed), "--as", "ann", status=2)
    assert f"{changed / 'a.yaml'}:3:" in message
    assert "make this version 2" in message
    assert len(read_register(settings.kafka).versions) == before


@pytest.mark.kafka
def test_of_two_who_change_it_at_once_one_is_refused(
    fresh_kafka: KafkaServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: Said,
    capfd: pytest.CaptureFixture[str],
) -> None:
    settings = settings_at(fresh_kafka.bootstrap, tmp_path, monkeypatch, transactions=True)
    said("seed", "--as", "carl")
    with Registrar(settings, "bob") as first, Registrar(settings, "dan") as second:
        for one, status in ((second, "live"), (first, "retired")):
            change = approve(one.book, "b", 1, status, "x")  # type: ignore[arg-type]  # literals
            if one is second:
                assert one.put_in_force("rules.approved", [change]) == 2
            else:
                with pytest.raises(RegistrarError, match="somebody else changed the rules"):
                    one.put_in_force("rules.approved", [change])
    assert capfd.readouterr().err == "", "the client's word beside ours"
    state = read_register(settings.kafka).state
    assert state.active is not None
    assert (state.active.number, state.active.rules["b"].status) == (2, "live")


@pytest.mark.kafka
def test_what_cannot_be_used_leaves_the_last_good_rules(
    fresh_kafka: KafkaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    settings = settings_at(fresh_kafka.bootstrap, tmp_path, monkeypatch, transactions=True)
    said("seed", "--as", "carl")
    good = rules_in_force(settings, core_settings(settings))
    producer = Producer({**librdkafka_config(settings.kafka)})
    broken = '{"definition":"{\\"id\\":\\"z\\"}","source":"","author":"a","at":""}'
    producer.produce("vip.rules", broken, "z@1")
    producer.produce("vip.rules", '{"number":9,"rules":{"z":[1,"live"]},"by":"","at":""}', "active")
    assert producer.flush(10) == 0
    found = rules_in_force(settings, core_settings(settings))
    assert (found.state.offset, found.rules.digest) == (good.state.offset, good.rules.digest)


@pytest.mark.broker
def test_what_was_sent_and_cannot_be_used_is_said(
    fresh_broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    settings = settings_at(fresh_broker, tmp_path, monkeypatch, transactions=False)
    said("seed", "--as", "carl")
    assert "not in force" not in said("status")
    producer = Producer({**librdkafka_config(settings.kafka)})
    for key, value in (("active", None), ("a@1", "{"), ("\x1b[2Jwho", "{}")):
        producer.produce("vip.rules", value, key)
    assert producer.flush(10) == 0
    lines = said("status").splitlines()[-3:]
    told = [line.partition(" of vip.rules is not in force: ")[2] for line in lines]
    assert told[0] == "active: which rules are in force is never removed"
    assert told[1].startswith("a@1: it is no such record: ")
    assert told[2] == "�[2Jwho: its key is not one of the register's"
    warned = [one for one in found(rules, settings) if one.verdict is Verdict.WARN]
    assert [one.what for one in warned] == lines
    assert not said("approve", "a", "--status", "retired", "--as", "bob").startswith("active")
    assert "active: " not in said("status")
    broken = '{"definition":"{\\"id\\":\\"z\\"}","source":"","author":"a","at":""}'
    producer.produce("vip.rules", broken, "z@1")
    producer.produce("vip.rules", '{"number":9,"rules":{"z":[1,"live"]},"by":"","at":""}', "active")
    assert producer.flush(10) == 0
    assert "the newest rules of vip.rules cannot be used: z@1: " in said("status")


@pytest.mark.broker
def test_what_was_removed_or_spoilt_is_brought_back(
    fresh_broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    """Else Kafka drops it when it compacts the topic, and who reads that has no rules."""
    settings = settings_at(fresh_broker, tmp_path, monkeypatch, transactions=False)
    said("seed", "--as", "carl")
    producer = Producer({**librdkafka_config(settings.kafka)})

    def spoil(*sent: tuple[str, str | None]) -> None:
        for key, value in sent:
            producer.produce("vip.rules", value, key)
        assert producer.flush(10) == 0

    def compacted() -> RuleBook:
        last = {one.key: one for one in read_topic(settings.kafka, "vip.rules")}
        book = RuleBook()
        for one in sorted(last.values(), key=lambda one: one.offset):
            if one.value is not None:
                book.take(one.raw())
        return book

    whole = compacted()
    assert whole.state.active is not None
    spoil(("a@1", None), ("active", "{"), ("b@1", "{}"))
    assert "active: it is no such record" in said("status")
    told = said("publish", str(settings.worker.rules), "--as", "ann")
    assert "brought back a@1, which somebody had removed or spoilt\n" in told
    assert told.endswith("0 published, 2 were there already\n")
    assert compacted().versions == whole.versions, "by their authors, not by who brought them back"
    assert compacted().state.active == whole.state.active
    assert "not in force" not in said("status")

    spoil(("a@1", None), ("isolated:a@1", "{"))
    assert "b@1 is live" in said("approve", "b", "--status", "live", "--as", "bob")
    assert compacted().versions == whole.versions
    assert "not in force" not in said("status")
    assert "brought back" not in said("publish", str(settings.worker.rules), "--as", "ann")


@pytest.mark.broker
def test_one_person_alone_seeds_only_what_workers_run(
    fresh_broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    settings = settings_at(fresh_broker, tmp_path, monkeypatch, transactions=False)
    producer = Producer({**librdkafka_config(settings.kafka)})
    digest = rule_set(settings).digest
    for number, used in enumerate(("of another time", digest), 1):
        position = Position(partition=0, number=number, ranges={}, now=number, rules=used)
        producer.produce("vip.journal", encode_position(position), "0", 0, timestamp=number)
    assert producer.flush(10) == 0
    others = str(write(tmp_path / "others", rule("a"), rule("c")))
    refused = said("seed", others, "--as", "carl", status=2)
    assert "not the rules that workers run" in refused
    assert digest[:12] in refused
    assert read_register(settings.kafka).state.active is None
    told = said("seed", "--as", "carl")
    assert f"2 rules ({settings.worker.rules}), by carl alone; they are what workers run" in told
    assert "one publishes and another approves" in told


@pytest.mark.broker
def test_numbers_that_are_left_out_are_told(
    fresh_broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    settings_at(fresh_broker, tmp_path, monkeypatch, transactions=False)
    assert "no worker has stepped an event yet" in said("seed", "--as", "carl")
    new = str(write(tmp_path / "new", rule("a", 9)))
    assert "published a@9, to be live (the one before is 1)" in said("publish", new, "--as", "ann")


@pytest.mark.broker
def test_what_is_hardly_meant_is_told_to_whoever_publishes(
    fresh_broker: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: Said,
    capfd: pytest.CaptureFixture[str],
) -> None:
    settings_at(fresh_broker, tmp_path, monkeypatch, transactions=False)
    said("seed", "--as", "carl")
    new = write(tmp_path / "new", rule("c", **{"if": "rate('mortgage') > 3.1"}))
    assert run(["rules", "publish", str(new), "--as", "ann"]) == 0
    out, err = capfd.readouterr()
    assert "published c@1" in out
    assert f"in doubt: {new}/c.yaml:" in err
    assert "a rate is a fraction" in err


@pytest.mark.broker
def test_what_stands_in_the_way_of_an_approval_is_told_to_whoever_publishes(
    fresh_broker: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: Said,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Another rule may be retired first, so it is published all the same."""

    def heavy(name: str) -> dict[str, Any]:
        last = "last(transfer, transfer.completed, 1h, where=transfer == '{}{}')"
        lasts = {f"n{number}": last.format(name, number) for number in range(6)}
        seen = " or ".join(f"{one} == 'x'" for one in lasts)
        return rule(name, status="shadow", let=lasts, **{"if": seen})

    settings_at(fresh_broker, tmp_path, monkeypatch, transactions=False)
    said("seed", "--as", "carl")
    for name, says in (("c", ""), ("d", "in doubt: as things are nobody can approve this: ")):
        new = write(tmp_path / name, heavy(name))
        assert run(["rules", "publish", str(new), "--as", "ann"]) == 0
        out, err = capfd.readouterr()
        assert f"published {name}@1" in out
        assert ("in doubt" in err) == bool(says), err
        assert says in err
        assert ("at most 711 kB are theirs" in err) == bool(says)
        said("approve", name, "--as", "bob", status=2 if says else 0)


@pytest.mark.broker
def test_rules_are_named_once_and_with_a_version_that_there_is(
    fresh_broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    settings_at(fresh_broker, tmp_path, monkeypatch, transactions=False)
    said("seed", "--as", "carl")
    said("publish", str(write(tmp_path / "new", rule("a", 2))), "--as", "ann")
    refused = said("approve", "a", "a@1", "--status", "shadow", "--as", "bob", status=2)
    assert "a is named twice: name one version of it" in refused
    assert said("approve", "a", "a@2", "--as", "bob").count("a@2 is live") == 1
    warm = ("--source", "kafka", "--dry-run")
    told = said("warm", "a@1", *warm, status=2)
    assert "a@1 is not in force, a@2 is" in told
    assert "rule a looks back at nothing" in said("warm", "a@2", *warm, status=2)


@pytest.mark.broker
def test_where_what_is_in_force_is_gone_nothing_is_changed(
    fresh_broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    """As after a compaction that dropped a version."""
    settings_at(fresh_broker, tmp_path, monkeypatch, transactions=False)
    gone = Active(number=7, rules={"a": Standing(1, "live")}, by="carl", at="2026-03-01T00:00:00Z")
    producer = Producer({"bootstrap.servers": fresh_broker})
    producer.produce(RULES_TOPIC, encode_register(gone), ACTIVE_KEY, partition=0)
    assert producer.flush(10) == 0
    new = str(write(tmp_path / "new", rule("b")))
    for change in (("seed", "--as", "carl"), ("publish", new, "--as", "ann")):
        told = said(*change, status=2)
        assert "it names a@1, which is not in the register" in told
        assert "bring vip.rules back from a copy" in told
