"""Rows that ClickHouse does not take become dead letters, and the rest of their batch lands."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from clickhouse_driver import Client
from confluent_kafka import Consumer

from agents.librdkafka import reader_config
from schemas.dead_letters import DeadLetter, Reason, dead_letter, parse_dead_letter
from sinks.clickhouse.address import Address, client_of
from sinks.clickhouse.render import count_rows, read_dead_letters
from tests.schemas.examples import EFFECT_EXAMPLES, examples
from tests.sink.running import QUICK, Feed, count_of, running, total, value, wait_until

pytestmark = pytest.mark.broker
REFUSED = "vipcare_sink_refused_total"


@pytest.fixture
def feed(fresh_broker: str) -> Feed:
    return Feed(fresh_broker)


@pytest.fixture
def constrained(address: Address) -> Iterator[Client]:
    """A database whose tables take nothing of the customer C666."""
    tables = ("events_raw", "tasks_raw", "alerts_raw")
    with client_of(address) as client:
        for table in tables:
            client.execute(f"ALTER TABLE {table} ADD CONSTRAINT no CHECK customer != 'C666'")
        yield client
        for table in tables:
            client.execute(f"ALTER TABLE {table} DROP CONSTRAINT no")


def letters_of(feed: Feed, count: int) -> list[DeadLetter]:
    """What the topic holds, once there are so many."""
    config = reader_config(feed.settings.kafka, "t")
    consumer = Consumer({**config, **QUICK, "auto.offset.reset": "earliest"})
    consumer.subscribe(["vip.dead-letters"])
    found: list[DeadLetter] = []
    while len(found) < count:
        for one in consumer.consume(count, timeout=0.5):
            assert one.error() is None
            found.append(parse_dead_letter(one.headers(), one.key(), one.value()))  # type: ignore[arg-type]  # the stub allows more than is ever read
    consumer.close()
    return found


def test_refused_rows_are_dead_letters_and_all_others_land(
    feed: Feed, address: Address, constrained: Client
) -> None:
    feed.send_events(150)
    poison = [
        json.dumps({**examples("page.viewed")[0], "subject": "C666", "id": f"p{n}"}).encode()
        for n in range(3)
    ]
    for one in poison:
        feed.send("bank.app", "C666", one)
    task = next(one for one in EFFECT_EXAMPLES if one["type"] == "vip.task")
    feed.send("vip.tasks", "C666", json.dumps({**task, "subject": "C666"}).encode())
    feed.send_events(150)
    with running(feed, address, rows=400) as metrics:
        wait_until(lambda: count_of(constrained, "events") >= 300, "the good events")
        wait_until(lambda: total(metrics, REFUSED) >= 4, "the refused rows")
        wait_until(lambda: count_of(constrained, "dead_letters") == 4, "their dead letters")
    assert value(metrics, REFUSED, table="events_raw") == 3
    assert value(metrics, REFUSED, table="tasks_raw") == 1
    letters = letters_of(feed, 4)
    assert {one.reason for one in letters} == {Reason.REFUSED}
    events = [one for one in letters if one.topic == "bank.app"]
    assert sorted(one.value for one in events) == sorted(poison)
    assert {one.key for one in events} == {b"C666"}
    assert {one.event_id for one in events} == {"p0", "p1", "p2"}
    assert {one.event_type for one in events} == {"page.viewed"}
    assert "a constraint of the table is violated (error 469)" in events[0].detail
    assert "C666" not in events[0].detail
    counts = count_rows(constrained)
    assert (counts["events"], counts["events_unique"], counts["tasks"]) == (300, 300, 0)
    assert len({(one.topic, one.partition, one.offset) for one in letters}) == 4
    assert {one.reason for one in read_dead_letters(constrained)} == {"refused"}
    with running(feed, address) as again:  # all of it was committed
        feed.send_events(1)
        wait_until(lambda: count_of(constrained, "events") == 301, "one more event")
    assert total(again, REFUSED) == 0


def test_a_run_of_refused_rows_does_not_keep_the_good_ones_of_its_batch_waiting(
    feed: Feed, address: Address, constrained: Client
) -> None:
    """More than `sink.refused_limit` of them, before the first that lands."""
    told = examples("page.viewed")[0]
    for number in range(250):
        customer = "C666" if number < 110 else "C1"
        event = {**told, "subject": customer, "id": f"r{number}"}
        feed.send("bank.app", "C666", json.dumps(event).encode())  # all in one partition
    feed.flush()
    with running(feed, address) as metrics:
        wait_until(lambda: count_of(constrained, "events") == 140, "the good events")
        wait_until(lambda: value(metrics, REFUSED, table="events_raw") == 110, "the refused ones")
    offsets = [one.offset for one in letters_of(feed, 110)]
    assert offsets == sorted({*offsets})


def test_a_refused_dead_letter_makes_no_other(feed: Feed, address: Address) -> None:
    letters = [
        dead_letter(
            Reason.BROKEN, "no", topic="bank.app", partition=0, offset=n, key=b"C1", value=b"x"
        )
        for n in range(3)
    ]
    for one in letters:
        feed.send_dead_letter(one)
    feed.flush()
    with client_of(address) as client:
        client.execute("ALTER TABLE dead_letters_raw ADD CONSTRAINT no CHECK offset != 1")
        with running(feed, address) as metrics:
            wait_until(lambda: total(metrics, REFUSED) == 1, "the refused one")
            feed.send_events(5)
            wait_until(lambda: count_of(client, "events") == 5, "what came later")
        client.execute("ALTER TABLE dead_letters_raw DROP CONSTRAINT no")
        assert count_of(client, "dead_letters") == 2
    assert len(letters_of(feed, 3)) == 3


def test_a_table_that_refuses_everything_makes_no_dead_letters(
    feed: Feed, address: Address
) -> None:
    """Somebody changed it by mistake: the rows wait in Kafka until it is mended."""
    feed.send_events(80)
    with client_of(address) as client:
        client.execute("ALTER TABLE events_raw ADD CONSTRAINT no CHECK customer = ''")
        failures = "vipcare_sink_failures_total"
        with running(feed, address, refused_limit=20) as metrics:
            wait_until(lambda: value(metrics, failures, why="refuses_most") >= 2, "a stop")
            assert value(metrics, "vipcare_sink_waiting") == 1
            client.execute("ALTER TABLE events_raw DROP CONSTRAINT no")
            wait_until(lambda: count_of(client, "events") == 80, "all events")
            wait_until(lambda: value(metrics, "vipcare_sink_waiting") == 0, "the end of it")
        assert total(metrics, REFUSED) == 0
        assert count_of(client, "dead_letters") == 0
