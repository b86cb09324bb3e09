"""A backtest over the rows that the sink stored is one over the messages that it took."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from clickhouse_driver import Client

from agents.backtest.archived import read_files
from agents.backtest.spill import event_time
from agents.cli.main import run
from config.load_rules import SHIPPED
from schemas.dead_letters import DeadLetter, Reason, dead_letter
from schemas.decode import decode_event, decode_fact
from schemas.events import INPUT_TOPICS, INTERNAL
from schemas.fields import sensitive_fields
from sinks.clickhouse.address import Address, client_of
from sinks.clickhouse.archive import PLAYABLE, stored_events, stored_facts
from sinks.clickhouse.batch import make_batch
from sinks.clickhouse.message import Message
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.writer import Writer
from streams.context import CoreSettings
from streams.intake import read
from streams.partitioning import partition_of
from tests.backtest.test_command import RULE, transfer
from tests.schemas.examples import EVENT_EXAMPLES, FACT_EXAMPLES
from tests.sink.server import Server
from tests.sink.taken import taken

pytestmark = pytest.mark.broker
PARTITIONS = 12
_OF_BIRTHDAYS = {"birthday-ahead", "birthday-today", "child-turns-eighteen"}
"""Rules of what identifies a person, and is not stored."""
_HIDDEN = (Reason.BROKEN, Reason.WRONG_KEY)
"""Why a message is refused that looks like an event in ClickHouse, if it is there at all."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    server = Server(tmp_path_factory.mktemp("clickhouse"))
    address = Address(host="127.0.0.1", port=server.port, database="archive")
    migrate(address)
    yield address
    server.stop()


def write(address: Address, messages: list[Message]) -> None:
    writer = Writer(address)
    for table, rows in make_batch(taken(messages)).rows.items():
        writer.insert(table, rows)
    writer.close()


def as_messages(letters: Iterable[DeadLetter]) -> list[Message]:
    return [
        Message("vip.dead-letters", 0, offset, 1_700_000_000_000, one.value, one.headers(), one.key)
        for offset, one in enumerate(letters)
    ]


def test_what_only_its_letter_shows_to_be_refused_is_no_event(address: Address) -> None:
    """A letter means its place alone: what has the same offset elsewhere, a replayed event too, is
    one."""
    text = json.dumps(EVENT_EXAMPLES[0]).encode()
    key = decode_event(text).subject.encode()
    reasons = list(Reason)
    events = [
        Message(topic, partition, offset, 1_700_000_000_000, text, [], key)
        for topic, partition in (("bank.core", 3), ("bank.core", 4), (INTERNAL, 3))
        for offset in range(len(reasons))
    ]
    letters = [
        dead_letter(
            reason, "no", topic="bank.core", partition=3, offset=offset, key=b"C0", value=text
        )
        for offset, reason in enumerate(reasons)
    ]
    write(address, [*events, *as_messages(letters)])
    with client_of(address) as client:
        stored = {(one.topic, one.partition, one.offset) for one in stored_events(client)}
        client.execute("TRUNCATE TABLE events_raw")
        client.execute("TRUNCATE TABLE dead_letters_raw")
    left_out = {(one.topic, one.partition, one.offset) for one in events} - stored
    assert left_out == {("bank.core", 3, reasons.index(reason)) for reason in _HIDDEN}


def test_every_example_comes_back(address: Address) -> None:
    texts = [json.dumps(example).encode() for example in EVENT_EXAMPLES]
    events = [decode_event(text) for text in texts]
    write(
        address,
        [
            Message(event.topic, 0, offset, 1_700_000_000_000, text, [], event.subject.encode())
            for offset, (event, text) in enumerate(zip(events, texts, strict=True))
        ],
    )
    with client_of(address) as client:
        stored = {one.offset: decode_event(one.value or b"") for one in stored_events(client)}
        client.execute("TRUNCATE TABLE events_raw")
    for offset, event in enumerate(events):
        back, data = stored[offset], event.data
        assert (back.id, back.source, back.subject) == (event.id, event.source, event.subject)
        names = {*data.__struct_fields__} - {*sensitive_fields(type(data)), "family"}
        told = {name: getattr(data, name) for name in names}
        assert {name: getattr(back.data, name) for name in names} == told


def test_every_fact_comes_back(address: Address) -> None:
    texts = [json.dumps(example).encode() for example in FACT_EXAMPLES]
    facts = [decode_fact(text) for text in texts]
    write(
        address,
        [
            Message(fact.topic, 0, offset, 1_700_000_000_000, text, [], fact.subject.encode())
            for offset, (fact, text) in enumerate(zip(facts, texts, strict=True))
        ],
    )
    with client_of(address) as client:
        stored = {one.key: decode_fact(one.value or b"") for one in stored_facts(client)}
        client.execute("TRUNCATE TABLE facts_raw")
    for fact in facts:
        back, data = stored[fact.subject], fact.data
        assert (back.event_type(), back.time) == (fact.event_type(), fact.time)
        names = {*data.__struct_fields__} - {*sensitive_fields(type(data))}
        told = {name: getattr(data, name) for name in names}
        assert {name: getattr(back.data, name) for name in names} == told


def _write_parquet(client: Client, rows: str, path: Path) -> None:
    """As `SELECT * FROM rows INTO OUTFILE`, which is the client's."""
    name = str(path).replace("'", "\\'")
    client.execute(f"INSERT INTO FUNCTION file('{name}', Parquet) SELECT * FROM {rows}")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it does not begin as Parquet does"),
        (b"PAR1 or not", "its end is missing: it was not written or not copied whole"),
        (b"PAR1aaaaaaaaPAR1", "Bad metadata size in parquet file: 1633771873 bytes"),
    ],
)
def test_what_is_no_such_parquet_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, why: str
) -> None:
    path = tmp_path / "no.parquet"
    path.write_bytes(content)
    assert run(["rules", "backtest", "--events", str(path)]) == 2
    said = f"no.parquet is no Parquet file of ClickHouse's view events or facts_history: {why}\n"
    assert capsys.readouterr().err.endswith(said)


def test_a_parquet_file_of_something_else(
    address: Address, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.parquet"
    with client_of(address) as client:
        _write_parquet(client, "numbers(3)", path)
    assert run(["rules", "backtest", "--events", str(path)]) == 2
    assert "it has no topic, offset, received and " in capsys.readouterr().err


def test_a_backtest_says_the_same(
    address: Address,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bank = tmp_path / "bank.jsonl"
    asked = "--customers 40 --days 60 --for 10s --duplicates 0.05 --mis-keyed 0.3 --broken 0.05"
    assert run(["bank", "--out", str(bank), *asked.split()]) == 0
    archived = [one for one in read_files([bank]) if event_time(one.value) is not None]
    messages = [
        Message(
            one.topic,
            partition_of(one.key, PARTITIONS),
            one.offset,
            one.sent,
            one.value,
            [],
            one.key,
        )
        for one in archived
    ]
    core = CoreSettings(partitions=PARTITIONS)
    entries = [
        read(one.raw(partition_of(one.key, PARTITIONS)), core)
        for one in archived
        if one.topic in INPUT_TOPICS
    ]
    letters = [one.problem for one in entries if one.problem is not None]
    assert Reason.WRONG_KEY in {one.reason for one in letters}
    write(address, [*messages, *as_messages(letters)])
    monkeypatch.setenv("VIPCARE_TOPICS__PARTITIONS", str(PARTITIONS))
    monkeypatch.setenv("VIPCARE_CLICKHOUSE__PORT", str(address.port))
    monkeypatch.setenv("VIPCARE_CLICKHOUSE__DATABASE", address.database)
    capsys.readouterr()
    parquet = []
    with client_of(address) as client:
        for name, rows in (("events", PLAYABLE), ("facts", "facts_history")):
            path = tmp_path / f"{name}'s.parquet"
            _write_parquet(client, rows, path)
            parquet += ["--events", str(path)]
    told = []
    named = sorted(one.stem for one in SHIPPED.glob("*.yaml") if one.stem not in _OF_BIRTHDAYS)
    for source in (["--events", str(bank)], ["--source", "clickhouse"], parquet):
        until = ["--from", "2025-10-01", "--to", "2026-01-05"]
        assert run(["rules", "backtest", *named, *source, *until, "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out))
    files, rows, columns = told
    for other in (rows, columns):
        assert other["rules"] == files["rules"]
        assert other["workload"] == files["workload"]
        assert (other["events"], other["duplicates"]) == (files["events"], files["duplicates"])
        refused = files["dead_letters"].items()
        assert other["dead_letters"] == {why: n for why, n in refused if why not in _HIDDEN}
    assert sum(one["fired"] for one in rows["rules"].values()) > 5
    for source in (["--source", "clickhouse"], parquet):
        assert run(["rules", "backtest", *source]) == 0
        told = capsys.readouterr().out
        assert "ClickHouse does not store birthdays, so these rules miss" in told
        assert f": {', '.join(sorted(_OF_BIRTHDAYS))}\n" in told


def test_why_says_the_same(
    address: Address,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of rows of one customer; those of others tell how far back they go."""
    with client_of(address) as client:
        client.execute("TRUNCATE TABLE events_raw")
        client.execute("TRUNCATE TABLE dead_letters_raw")
    rule = RULE.format(id="often", status="live", least=0)
    rule = rule.replace("base_amount > 0", "count(transfer.completed, 5d) >= 3")
    (tmp_path / "often.yaml").write_text(rule)
    texts = [transfer(number, number, 100).encode() for number in range(1, 10)]
    texts[:2] = [text.replace(b"C1", b"C2") for text in texts[:2]]
    keys = [decode_event(text).subject.encode() for text in texts]
    sent = 1_800_000_000_000
    messages = [
        Message("bank.core", partition_of(key, PARTITIONS), number, sent, text, [], key)
        for number, (key, text) in enumerate(zip(keys, texts, strict=True))
    ]
    write(address, messages)
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(texts))
    monkeypatch.setenv("VIPCARE_KAFKA__BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("VIPCARE_TOPICS__PARTITIONS", str(PARTITIONS))
    monkeypatch.setenv("VIPCARE_CLICKHOUSE__PORT", str(address.port))
    monkeypatch.setenv("VIPCARE_CLICKHOUSE__DATABASE", address.database)
    for event, fires, is_warm in (("4", False, False), ("5", True, False), ("6", True, True)):
        asked = ["rules", "why", str(tmp_path / "often.yaml"), "C1", "--event", event, "--json"]
        told = []
        for archive in (["--events", str(tmp_path / "events.jsonl")], ["--source", "clickhouse"]):
            assert run([*asked, *archive]) == 0
            told.append(json.loads(capsys.readouterr().out))
        files, rows = told
        ((of_files,), (of_rows,)) = files["answers"], rows["answers"]
        assert of_files["clauses"] == of_rows["clauses"]
        assert (of_rows["fires"], of_files["warm"]) == (fires, is_warm)
        assert (of_rows["warm"] is False) is not is_warm
        assert not rows["remarks"]
    birthdays = rule.replace("count(transfer.completed, 5d) >= 3", "any(family, where=age < 18)")
    (tmp_path / "often.yaml").write_text(birthdays)
    assert run([*asked, "--source", "clickhouse"]) == 0
    (remark,) = json.loads(capsys.readouterr().out)["remarks"]
    assert remark == "ClickHouse does not keep birthdays: unknown here"
