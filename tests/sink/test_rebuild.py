"""A table made anew from its topics: nothing is missing or doubled, whatever goes on meanwhile."""

from __future__ import annotations

import dataclasses
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from clickhouse_driver import Client
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from agents.cli.main import cli
from agents.librdkafka import librdkafka_config
from config.settings import Settings
from schemas.audit import AUDIT_TOPIC
from schemas.dead_letters import Reason, dead_letter
from schemas.effects import decode_effect
from schemas.events.reference import FACT_TYPES, GLOBAL_TOPICS
from sinks.clickhouse.address import Address
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.rebuild import leftovers as leftovers_module
from sinks.clickhouse.rebuild.errors import RebuildError
from sinks.clickhouse.rebuild.filling import Progress
from sinks.clickhouse.rebuild.run import Rebuild
from sinks.clickhouse.render import count_rows, read_effects
from sinks.clickhouse.tables import EVENTS, FACTS, TABLES, VIEWS, Table
from tests.kafka_server import KafkaServer
from tests.schemas.examples import EFFECT_EXAMPLES, FACT_EXAMPLES
from tests.sink.running import Feed, count_of, run_sink, running, value, wait_until
from tests.sink.test_audit import approved


@pytest.fixture
def feed(fresh_broker: str) -> Feed:
    return Feed(fresh_broker)


def rebuild(feed: Feed, address: Address, table: Table = EVENTS) -> Rebuild:
    group = {"group.id": feed.settings.sink.group}
    return Rebuild(address, {**librdkafka_config(feed.settings.kafka), **group}, table)


@contextmanager
def sending(feed: Feed) -> Iterator[list[int]]:
    """Events all the time; gives how many, batch by batch."""
    sent: list[int] = []
    stop = threading.Event()

    def send() -> None:
        while not stop.is_set():
            feed.send_events(20)
            sent.append(20)
            stop.wait(0.05)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield sent
    finally:
        stop.set()
        thread.join()


def leftovers(client: Client) -> list[str]:
    query = "SELECT name FROM system.tables WHERE database = currentDatabase()"
    return [name for (name,) in client.execute(query) if "_rebuild_" in name]


@pytest.mark.broker
def test_while_the_sink_goes_on_nothing_is_missing_or_doubled(
    feed: Feed, own: Address, own_client: Client
) -> None:
    own_client.execute(
        "CREATE TABLE seen (type String, id String) ENGINE = MergeTree ORDER BY type"
    )
    own_client.execute("CREATE MATERIALIZED VIEW see TO seen AS SELECT type, id FROM events_raw")
    feed.send_events(3_000)
    with running(feed, own, rows=200) as metrics:
        wait_until(lambda: count_of(own_client, "events") == 3_000, "a beginning")
        own_client.execute("TRUNCATE TABLE seen")
        own_client.execute(
            "ALTER TABLE events_raw UPDATE rest = 'spoilt' WHERE 1 SETTINGS mutations_sync = 2"
        )
        own_client.execute(
            "ALTER TABLE events_raw DELETE WHERE offset % 3 = 0 SETTINGS mutations_sync = 2"
        )
        with sending(feed) as sent:
            work = rebuild(feed, own)
            plan = work.plan()
            assert (plan.views, plan.lost) == (("see",), 0)
            done = work.run(plan, lambda _: None, may_lose=False)
        total = 3_000 + sum(sent)
        inserted = "vipcare_sink_rows_total"
        wait_until(lambda: value(metrics, inserted, table="events_raw") >= total, "all inserts")
    assert done.filled.rows >= 3_000
    assert done.lost == 0
    counts = count_rows(own_client)
    assert (counts["events"], counts["events_unique"]) == (total, total)
    assert own_client.execute("SELECT count() FROM events WHERE rest = 'spoilt'") == [(0,)]
    assert own_client.execute("SELECT count(), uniqExact(id) FROM seen") == [(total, total)]
    assert leftovers(own_client) == []


@pytest.mark.broker
def test_interrupted_it_leaves_everything_as_it_was(
    feed: Feed, own: Address, own_client: Client
) -> None:
    feed.send_events(300)
    with running(feed, own):
        wait_until(lambda: count_of(own_client, "events") == 300, "a beginning")
    before = own_client.execute("SELECT uuid FROM system.tables WHERE name = 'events_raw'")

    def interrupt(_: Progress) -> None:
        assert leftovers(own_client) != []
        raise KeyboardInterrupt

    work = rebuild(feed, own)
    with pytest.raises(KeyboardInterrupt):
        work.run(work.plan(), interrupt, may_lose=False)
    assert leftovers(own_client) == []
    assert own_client.execute("SELECT uuid FROM system.tables WHERE name = 'events_raw'") == before
    assert count_of(own_client, "events") == 300


@pytest.mark.broker
def test_what_was_killed_before_is_cleared_away(
    feed: Feed, own: Address, own_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_client.execute("CREATE TABLE events_raw_rebuild_dead AS events_raw")
    view = "CREATE MATERIALIZED VIEW events_raw_rebuild_dead_view_0 TO events_raw_rebuild_dead"
    own_client.execute(f"{view} AS SELECT * FROM events_raw")
    feed.send_events(50)
    with running(feed, own):
        wait_until(lambda: count_of(own_client, "events") == 50, "a beginning")
    work = rebuild(feed, own)
    with pytest.raises(RebuildError, match="If none runs, try again in a minute"):
        work.plan()
    monkeypatch.setattr(leftovers_module, "QUIET_S", 0)
    plan = work.plan()
    assert plan.views == ()
    assert work.run(plan, lambda _: None, may_lose=False).filled.rows == 50
    assert leftovers(own_client) == []
    assert count_of(own_client, "events") == 50


@pytest.mark.broker
def test_a_second_rebuild_of_a_table_is_refused_and_the_first_goes_on(
    feed: Feed, own: Address, own_client: Client
) -> None:
    feed.send_events(60)
    with running(feed, own):
        wait_until(lambda: count_of(own_client, "events") == 60, "a beginning")
    second, refused = rebuild(feed, own), []
    planned = second.plan()

    def begin_another(_: Progress) -> None:
        with pytest.raises(RebuildError) as again:
            second.run(planned, lambda _: None, may_lose=False)
        refused.append(str(again.value))
        rebuild(feed, own, FACTS).plan()  # of another table one may

    work = rebuild(feed, own)
    assert work.run(work.plan(), begin_another, may_lose=False).filled.rows == 60
    assert refused[0].startswith("another rebuild of events_raw is under way since ")
    assert leftovers(own_client) == []
    assert second.run(second.plan(), lambda _: None, may_lose=False).filled.rows == 60


@pytest.mark.broker
def test_views_that_cannot_be_rebuilt_are_named(
    feed: Feed, own: Address, own_client: Client
) -> None:
    work = rebuild(feed, own)
    select = "SELECT id FROM events_raw"
    own_client.execute(
        f"CREATE MATERIALIZED VIEW inside ENGINE = MergeTree ORDER BY id AS {select}"
    )
    with pytest.raises(RebuildError, match=r"inside keeps its rows within itself: make it with"):
        work.plan()
    own_client.execute("DROP TABLE inside SYNC")
    own_client.execute("CREATE TABLE one (id String) ENGINE = MergeTree ORDER BY id")
    own_client.execute("CREATE TABLE two (id String) ENGINE = MergeTree ORDER BY id")
    own_client.execute("CREATE MATERIALIZED VIEW first TO one AS " + select)
    own_client.execute("CREATE MATERIALIZED VIEW second TO two AS SELECT id FROM one")
    with pytest.raises(RebuildError, match=r"one, the target of first, feeds other views \(second"):
        work.plan()


@pytest.mark.broker
def test_every_table_is_rebuilt_from_all_its_topics(
    feed: Feed, own: Address, own_client: Client
) -> None:
    feed.send_events(30)
    for number, fact in enumerate(FACT_EXAMPLES):
        topic = FACT_TYPES[fact["type"]].topic
        told = json.dumps({**fact, "id": f"f{number}"}).encode()
        feed.send(topic, fact["subject"], told, partition=0)
    for number, one in enumerate(EFFECT_EXAMPLES):
        feed.send_effect(decode_effect(json.dumps({**one, "id": f"t{number}"}).encode()))
    feed.send_dead_letter(
        dead_letter(
            Reason.BROKEN, "no", topic="bank.app", partition=0, offset=1, key=b"C1", value=b"x"
        )
    )
    feed.send(AUDIT_TOPIC, "mei", approved(0).value or b"", partition=0)
    feed.flush()
    counts = {table: f"SELECT count() FROM {table.name} FINAL" for table in TABLES}

    def seen() -> dict[Table, int]:
        return {table: own_client.execute(query)[0][0] for table, query in counts.items()}

    with running(feed, own):
        wait_until(lambda: seen()[EVENTS] == 30, "the events")
        wait_until(lambda: seen()[FACTS] == len(FACT_EXAMPLES), "the facts")
        wait_until(lambda: all(seen().values()), "something in every table")
    before, topics = seen(), own_client.execute("SELECT DISTINCT topic FROM facts ORDER BY topic")
    assert topics == [(topic,) for topic in sorted(GLOBAL_TOPICS)]
    for table in TABLES:
        work = rebuild(feed, own, table)
        assert work.run(work.plan(), lambda _: None, may_lose=False).lost == 0
    assert seen() == before
    assert leftovers(own_client) == []


@pytest.mark.broker
def test_a_gain_does_not_hide_a_loss(feed: Feed, own: Address, own_client: Client) -> None:
    """Rows that the topics do not tell, in the place of others that they do."""
    feed.send_events(60)
    with running(feed, own):
        wait_until(lambda: count_of(own_client, "events") == 60, "a beginning")
    query = "SELECT topic, partition, max(offset) FROM events GROUP BY ALL ORDER BY 3 DESC LIMIT 1"
    [(topic, partition, last)] = own_client.execute(query)
    place = f"topic = '{topic}' AND partition = {partition}"
    own_client.execute(  # two that were never sent, and two less of those that were
        "INSERT INTO events_raw SELECT * REPLACE(offset - 1000 AS offset) "
        f"FROM (SELECT * FROM events_raw WHERE {place} AND offset < 2)"
    )
    own_client.execute(
        f"ALTER TABLE events_raw DELETE WHERE {place} AND offset IN ({last - 1}, {last - 2}) "
        "SETTINGS mutations_sync = 2"
    )
    work = rebuild(feed, own)
    plan = work.plan()
    with pytest.raises(RebuildError, match="2 rows of events_raw would be lost"):
        work.run(dataclasses.replace(plan, lost=0), lambda _: None, may_lose=False)


@pytest.mark.broker
def test_what_was_dropped_is_made_again_and_filled(
    feed: Feed, own: Address, own_client: Client
) -> None:
    feed.send_events(60)
    with running(feed, own):
        wait_until(lambda: count_of(own_client, "events") == 60, "a beginning")
    query = "SELECT * FROM events ORDER BY topic, partition, offset"
    before = own_client.execute(query)
    for statement, what in (
        ("DROP TABLE events_raw SYNC", "table events_raw is missing"),
        ("ALTER TABLE events_raw DROP COLUMN amount", "column events_raw.amount is missing"),
    ):
        own_client.execute(statement)
        with pytest.raises(RebuildError, match=f"{what}: make it again with `vipcare migrate`, "):
            rebuild(feed, own).plan()
        migrate(own)
        work = rebuild(feed, own)
        assert work.run(work.plan(), lambda _: None, may_lose=False).filled.rows == 60
        assert own_client.execute(query) == before


@pytest.mark.broker
def test_it_says_which_rows_are_refused(
    feed: Feed, own: Address, own_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.send_events(60)
    with running(feed, own):
        wait_until(lambda: count_of(own_client, "events") == 60, "a beginning")
    own_client.execute("ALTER TABLE events_raw ADD CONSTRAINT no CHECK type != 'page.viewed'")
    query = "SELECT topic, partition, offset FROM events WHERE type = 'page.viewed' ORDER BY ALL"
    wrong = own_client.execute(query)
    for name, text in {**environment(feed, own), "VIPCARE_KAFKA__TRANSACTIONS": "false"}.items():
        monkeypatch.setenv(name, text)
    refused = CliRunner().invoke(cli, ["sink", "rebuild", "events"])
    assert refused.exit_code == 2
    assert f"{len(wrong)} rows of events_raw would be lost" in refused.output
    assert f"or it refuses them now ({len(wrong)}, such as bank.app[" in refused.output
    agreed = CliRunner().invoke(cli, ["sink", "rebuild", "events", "--yes"], catch_exceptions=False)
    told = [line for line in agreed.output.splitlines() if line.startswith("refused ")]
    assert len(told) == min(len(wrong), 5)
    topic, partition, offset = wrong[0]
    why = "it refuses: a constraint of the table is violated (error 469)"
    assert told[0] == f"refused {topic}[{partition}]@{offset}: {why}"


def test_its_help_names_every_table_and_view() -> None:
    told = CliRunner().invoke(cli, ["sink", "rebuild", "--help"]).output
    for name in (*VIEWS, *(table.name for table in TABLES)):
        assert re.search(rf"\b{name}\b", told)


@pytest.mark.kafka
def test_what_kafka_no_longer_holds_is_lost_only_with_a_yes(
    fresh_kafka: KafkaServer, own: Address, own_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = Feed(fresh_kafka.bootstrap)
    feed.send_events(400)
    for number, example in enumerate(EFFECT_EXAMPLES):
        if example["type"] == "vip.task":
            feed.send_effect(decode_effect(json.dumps({**example, "id": f"t{number}"}).encode()))
    feed.flush()
    with run_sink(feed.settings, own):
        wait_until(lambda: count_of(own_client, "events") == 400, "all events")
        wait_until(lambda: count_of(own_client, "tasks") > 0, "the tasks")
    tasks = list(read_effects(own_client))
    gone = _trim(feed.settings, own_client)
    for name, text in environment(feed, own).items():
        monkeypatch.setenv(name, text)
    refused = CliRunner().invoke(cli, ["sink", "rebuild", "events"])
    assert refused.exit_code == 2, refused.output
    assert f"{gone} rows of events_raw would be lost" in refused.output
    assert count_of(own_client, "events") == 400
    agreed = CliRunner().invoke(cli, ["sink", "rebuild", "events", "--yes"], catch_exceptions=False)
    assert f"events_raw is rebuilt: {400 - gone:,} rows" in agreed.output
    assert "since 20" in agreed.output
    assert count_of(own_client, "events") == 400 - gone
    done = CliRunner().invoke(cli, ["sink", "rebuild", "tasks_raw"], catch_exceptions=False)
    assert done.exit_code == 0
    assert [*read_effects(own_client)] == tasks
    assert leftovers(own_client) == []


def _trim(settings: Settings, client: Client) -> int:
    """Delete half of the largest partition of bank.core; returns how many rows stood there."""
    query = "SELECT partition, max(offset) FROM events WHERE topic = 'bank.core' GROUP BY partition"
    partition, last = max(client.execute(query), key=lambda row: row[1])
    assert last > 10
    admin = AdminClient(librdkafka_config(settings.kafka))
    [future] = admin.delete_records([TopicPartition("bank.core", partition, last // 2)]).values()
    future.result(20)
    return last // 2


def environment(feed: Feed, address: Address) -> dict[str, str]:
    return {
        "VIPCARE_KAFKA__BOOTSTRAP": feed.bootstrap,
        "VIPCARE_CLICKHOUSE__PORT": str(address.port),
        "VIPCARE_CLICKHOUSE__DATABASE": address.database,
    }
