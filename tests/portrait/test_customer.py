"""`vipcare customer show`, beside a worker and a sink that run: out of each place there is."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from clickhouse_driver import Client
from confluent_kafka import Producer
from msgspec.structs import replace

from agents.cli.main import run
from agents.clickhouse import clickhouse_address
from agents.kafka import producer_config
from agents.lane.store import Stores
from agents.librdkafka import librdkafka_config
from agents.portrait import sources
from agents.reading import read_partition
from agents.topics import changelog, create
from config.settings import Settings
from schemas.effects import Alert, Effect, Task
from schemas.events.reference import FACT_TYPES
from schemas.record import Record
from sinks.clickhouse.address import Address, client_of
from sinks.clickhouse.migrate import migrate
from streams.inputs import Raw
from streams.partitioning import partition_of
from tests.kafka_server import KafkaServer
from tests.ops.pipeline import environment, settings_for, sink, wait_applied, worker
from tests.portrait.story import CUSTOMER, PARTITIONS, messages, record
from tests.ports import free_port
from tests.schemas.examples import EVENT_EXAMPLES, FACT_EXAMPLES, examples
from tests.sink.server import Server
from tests.sink.test_effects import messages_of, write

pytestmark = pytest.mark.broker
SECRET = "inherited from an aunt"


NAMED = {"product": "WM-180", "branch": "BR07"}
"""Kind of fact → one of it that the examples of events tell of."""


def renamed(kind: str, name: str) -> dict[str, Any]:
    (example, *_) = examples(f"{kind}.set")
    told = {"subject": f"{kind}:{name}", "id": name, "data": {**example["data"], kind: name}}
    return {**example, **told}


def secret() -> Raw:
    """An event with a sensitive attribute, a public one, and one that nobody declared."""
    told = {"source_of_wealth": SECRET, "referrals": 3, "aunt": SECRET}
    event = EVENT_EXAMPLES[0] | {
        "id": "secret",
        "type": "customer.updated",
        "subject": CUSTOMER,
        "data": {"attributes": told},
    }
    return replace(messages()[0], topic="bank.core", value=json.dumps(event).encode())


@pytest.fixture(scope="module")
def running(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A worker at work that has applied every example of schemas/ for one customer."""
    folder = tmp_path_factory.mktemp("show")
    clickhouse = Server(folder)
    plain = settings_for(broker, folder, transactions=False)
    where = plain.clickhouse.model_copy(update={"port": clickhouse.port})
    settings = plain.model_copy(update={"clickhouse": where})
    create(settings)
    address = clickhouse_address(settings.clickhouse)
    migrate(address)
    producer = Producer(librdkafka_config(settings.kafka))
    for raw in [*messages(), secret()]:
        assert raw.value is not None
        producer.produce(raw.topic, raw.value, raw.key, partition=raw.partition)
    for fact in [*FACT_EXAMPLES, *(renamed(*one) for one in NAMED.items())]:
        topic, key = FACT_TYPES[fact["type"]].topic, fact["subject"].encode()
        producer.produce(topic, json.dumps(fact).encode(), key, partition=0)
    producer.flush(20)
    with worker(settings), sink(settings):
        wait_applied(settings)
        _wait_stored(settings, address)
        yield settings
    clickhouse.stop()


_STORED = {"vip.profiles": "customers_history", "vip.tasks": "tasks", "vip.alerts": "alerts"}
"""Topic → the view that has a row for each of its messages."""


def _sent(settings: Settings) -> dict[str, int]:
    """View → how many messages of the customer the worker sent, and how many events it was sent."""
    partition, key = partition_of(CUSTOMER.encode(), PARTITIONS), CUSTOMER.encode()
    counts = {
        view: sum(one.key == key for one in read_partition(settings.kafka, topic, partition))
        for topic, view in _STORED.items()
    }
    return {"events_unique": len(messages()) + 1, **counts}


def _wait_stored(settings: Settings, address: Address) -> None:
    """Until all of it is a row. (Of a relation, the other customer hears too.)"""
    deadline = time.monotonic() + 60
    with client_of(address) as client:
        while True:
            sent = _sent(settings)
            stored = {view: _rows(client, view) for view in sent}
            if stored == sent:
                return
            assert time.monotonic() < deadline, (stored, sent)
            time.sleep(0.2)


def _rows(client: Client, view: str) -> int:
    query = f"SELECT count() FROM {view} WHERE customer = %(customer)s"  # our own names
    count: int = client.execute(query, {"customer": CUSTOMER})[0][0]
    return count


@pytest.fixture(autouse=True)
def settings(running: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment(running).items():
        monkeypatch.setenv(name, value)
    return running


def shown(capfd: pytest.CaptureFixture[str], *options: str) -> dict[str, object]:
    assert run(["customer", "show", CUSTOMER, "--json", *options]) == 0
    data: dict[str, object] = json.loads(capfd.readouterr().out)
    return data


def test_the_store_and_kafka_say_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    store = shown(capfd, "--from", "store", "--personal")
    kafka = shown(capfd, "--from", "kafka", "--personal")
    assert "the worker's store" in str(store.pop("source"))
    assert "vipcare-customers-changelog" in str(kafka.pop("source"))
    assert store == kafka
    assert store["profile"]["name"] == "曾浩然"  # type: ignore[index]  # an object


def test_why_a_rule_would_fire_reads_the_same_record(capfd: pytest.CaptureFixture[str]) -> None:
    told = []
    for place in ("store", "kafka"):
        asked = ["rules", "why", "unusual-amount", CUSTOMER, "--json", "--from", place]
        assert run(asked) == 0
        (answer,) = json.loads(capfd.readouterr().out)["answers"]
        told.append(answer | {"at": ""})
    assert told[0] == told[1]
    clauses = {one["text"]: one for one in told[0]["clauses"]}
    assert clauses["base_amount >= 50000"]["of_event"]
    assert told[0]["lets"]["mean"] == "–"


def test_the_copy_of_a_worker_that_idles_is_not_called_old(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sources, "OLD_MS", -1)
    assert run(["customer", "show", CUSTOMER, "--from", "store"]) == 0
    assert capsys.readouterr().err == ""


def test_a_copy_that_lacks_something_is_said_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stores = Stores(tmp_path)
    partition = partition_of(CUSTOMER.encode(), PARTITIONS)
    held = record().encode()
    stores.open(partition).write([(CUSTOMER.encode(), held)], "id", 0, as_of=1)
    monkeypatch.setenv("VIPCARE_WORKER__DATA", str(tmp_path))
    assert run(["customer", "show", CUSTOMER, "--from", "store"]) == 0
    assert "lacks what came since: does its worker run?" in capfd.readouterr().err
    monkeypatch.setenv("VIPCARE_KAFKA__BOOTSTRAP", f"127.0.0.1:{free_port()}")
    assert run(["customer", "show", CUSTOMER, "--from", "store"]) == 0
    assert "whether it lacks anything cannot be told: " in capfd.readouterr().err
    stores.close()


def test_ids_have_their_names(capfd: pytest.CaptureFixture[str]) -> None:
    store: Any = shown(capfd, "--from", "store")["names"]
    assert {one["kind"]: one["id"] for one in store} == NAMED | {"rm": "RM007"}
    (rm,) = (one["name"] for one in store if one["kind"] == "rm")
    assert rm.endswith("***"), "an RM is a person"
    stored: Any = shown(capfd, "--from", "clickhouse")["names"]
    assert stored == [one for one in store if one["kind"] != "rm"]


def test_looking_writes_nothing_into_the_workers_folder(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    config = [*settings.worker.data.glob("*/rocksdict-config.json")]
    before = [(path, path.stat().st_mtime_ns) for path in config]
    assert before
    shown(capfd)
    assert [(path, path.stat().st_mtime_ns) for path in config] == before


def test_the_picture_masks(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["customer", "show", CUSTOMER]) == 0
    text = capfd.readouterr().out
    assert "曾***" in text
    assert "曾浩然" not in text
    assert "time line" in text


def test_clickhouse_shows_what_the_sink_stored(capfd: pytest.CaptureFixture[str]) -> None:
    data: Any = shown(capfd, "--from", "clickhouse")
    assert data["profile"]["name"] == "曾***"
    assert data["profile"]["tier"] == record().profile.basics.tier
    assert data["clickhouse"]["events"] == len(messages()) + 1
    lines = sum(line["times"] for line in data["time_line"])
    assert lines + data.get("time_line_left_out", 0) == len(messages()) + 1
    assert [one["time"] for one in data["time_line"]] == sorted(
        (one["time"] for one in data["time_line"]), reverse=True
    )
    assert data["time_line"][0]["time"].endswith("+08:00")
    assert {one["state"] for one in data["tasks"] + data["alerts"]} <= {"open", "closed"}
    held: Any = shown(capfd, "--from", "store")
    told = [{name: card[name] for name in data["cards"][0]} for card in held["cards"]]
    assert numbers(data["cards"]) == numbers(told)
    loans = [numbers(one["assets"]["loans_by_month"]) for one in (data, held)]
    assert loans[0] == loans[1] != {}
    used = {one["benefit"]: one["times"] for one in held["benefits"]}
    assert {one["benefit"]: one["times"] for one in data["benefits"]} == used
    assert_same_keys(data, held)


def assert_same_keys(data: Any, held: Any) -> None:
    """A program finds what both know under the same keys, wherever it was read."""
    for name in ("interests", "relations"):
        told = [{key: one[key] for key in data[name][0]} for one in held[name]]
        assert sorted(map(str, data[name])) == sorted(map(str, told))
    only = {"family_members", "held", "next_maturity"}
    only |= {"regular_inflows", "regular_inflows_a_month", "contacts", "last_contact"}
    for name in ("profile", "assets", "behaviour"):
        both = data[name].keys() - only
        assert both
        assert numbers({key: data[name][key] for key in both}) == numbers(
            {key: held[name][key] for key in both}
        )


def numbers(data: Any) -> Any:
    """Amounts as numbers: ClickHouse has as many decimals as its columns."""
    text = json.dumps(data)
    return json.loads(re.sub(r'"(-?[\d]+(?:\.\d+)?)"', r"\1", text))


def test_the_record_is_shown_with_the_open_tasks_and_alerts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    task = msgspec.convert(examples("vip.task")[0], Task)
    alert = msgspec.convert(examples("vip.alert")[0], Alert)
    raised: list[Effect] = [replace(one, subject=CUSTOMER) for one in (task, alert)]
    write(clickhouse_address(settings.clickhouse), messages_of(raised))
    stored: Any = shown(capfd, "--from", "clickhouse")
    whole: Any = shown(capfd)
    for name in ("tasks", "alerts"):
        assert whole[name] == [one for one in stored[name] if one["state"] == "open"]
    assert whole["tasks"] + whole["alerts"]
    assert "ClickHouse" in whole["source"]
    monkeypatch.setenv("VIPCARE_CLICKHOUSE__PORT", str(free_port()))
    assert run(["customer", "show", CUSTOMER, "--json"]) == 0
    told = capfd.readouterr()
    assert "warning: tasks and alerts are not shown: ClickHouse at " in told.err
    assert not {"tasks", "alerts"} & json.loads(told.out).keys()


def test_attributes_reach_clickhouse_and_sensitive_ones_stay_in_the_record(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    data: Any = shown(capfd, "--from", "clickhouse", "--personal")
    assert data["attributes"] == {"newsletter": "true", "referrals": "3", "segment": "founder"}
    record: Any = shown(capfd, "--from", "store", "--personal")
    assert record["attributes"]["source_of_wealth"] == SECRET
    masked: Any = shown(capfd, "--from", "store")
    assert masked["attributes"]["source_of_wealth"] == "***"
    with client_of(clickhouse_address(settings.clickhouse)) as client:
        tables = [name for (name,) in client.execute("SHOW TABLES")]
        rows = [client.execute(f"SELECT * FROM {name} FORMAT Native") for name in tables]
    assert len(repr(rows)) > 1_000
    assert SECRET not in repr(rows)


@pytest.mark.parametrize("place", ["store", "kafka", "clickhouse"])
def test_an_unknown_customer(place: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["customer", "show", "C999", "--from", place]) == 2
    error = capfd.readouterr().err
    assert error.startswith("vipcare: customer 'C999' is not in ")
    assert "is the id right" in error


def test_a_record_of_another_version_is_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stores = Stores(tmp_path)
    partition = partition_of(CUSTOMER.encode(), PARTITIONS)
    stores.open(partition).write([(CUSTOMER.encode(), b"\x63" + bytes(60))], "id", 1)
    monkeypatch.setenv("VIPCARE_WORKER__DATA", str(tmp_path))
    assert run(["customer", "show", CUSTOMER, "--from", "store"]) == 2
    error = capfd.readouterr().err
    assert "a customer record of version 99" in error
    assert "same version as the worker?" in error
    stores.close()


@pytest.mark.kafka
def test_out_of_apache_kafka_only_what_was_committed(
    fresh_kafka: KafkaServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    settings = settings_for(fresh_kafka.bootstrap, tmp_path, transactions=True)
    create(settings)
    log, key = changelog(settings.worker.app), CUSTOMER.encode()
    partition = partition_of(key, PARTITIONS)
    producer = Producer(producer_config(settings.kafka, settings.worker, partition))
    producer.init_transactions()
    for tier, commits in (("gold", True), ("diamond", False)):
        held = Record(CUSTOMER)
        held.edit_profile().basics.tier = tier
        producer.begin_transaction()
        producer.produce(log, held.encode(), key, partition=partition)
        producer.flush(20)
        _ = producer.commit_transaction() if commits else producer.abort_transaction()
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert run(["customer", "show", CUSTOMER, "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["profile"] == {"tier": "gold"}


def test_without_a_copy_it_says_where_else_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIPCARE_WORKER__DATA", str(tmp_path))
    assert run(["customer", "show", CUSTOMER, "--from", "store"]) == 2
    assert "--from kafka" in capfd.readouterr().err
    assert "changelog" in str(shown(capfd)["source"])
