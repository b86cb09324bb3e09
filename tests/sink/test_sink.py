"""The sink on a broker and a ClickHouse: nothing is lost, nothing counts twice."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from clickhouse_driver import Client
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.dead_letters import Reason, dead_letter
from schemas.effects import Effect, decode_effect
from sinks.clickhouse.address import Address, client_of
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.render import count_rows, read_dead_letters, read_effects
from tests.schemas.examples import EFFECT_EXAMPLES
from tests.sink.running import PARTITIONS, Feed, count_of, running, total, value, wait_until
from tests.sink.server import Server

pytestmark = pytest.mark.broker


@pytest.fixture
def feed(fresh_broker: str) -> Feed:
    return Feed(fresh_broker)


def sees(client: Client, view: str, count: int) -> Callable[[], bool]:
    return lambda: count_of(client, view) >= count


def test_everything_that_is_sent_is_there_once(
    feed: Feed, address: Address, client: Client
) -> None:
    effects: list[Effect] = [
        decode_effect(msgspec.json.encode({**example, "id": f"x{number}"}))
        for number, example in enumerate(EFFECT_EXAMPLES)
    ]
    letter = dead_letter(
        Reason.BROKEN, "no", topic="bank.app", partition=1, offset=0, key=None, value=b"x"
    )
    for effect in effects:
        feed.send_effect(effect)
    feed.send_dead_letter(letter)
    feed.send("bank.app", "C1", b"broken")
    feed.send("bank.app", "C1", b'{"type": "weather.changed"}')
    feed.send("vip.profiles", "C1", None)
    feed.send_events(500)
    with running(feed, address, rows=100) as metrics:
        wait_until(sees(client, "events", 500), "500 events")
        wait_until(sees(client, "dead_letters", 1), "a dead letter")
        wait_until(lambda: len(list(read_effects(client))) >= len(effects), "the effects")
    assert {one.id: one for one in read_effects(client)} == {one.id: one for one in effects}
    assert [one.offset for one in read_dead_letters(client)] == [0]
    assert count_of(client, "events_unique") == 500
    assert value(metrics, "vipcare_sink_rows_total", table="events_raw") == 500
    skipped = "vipcare_sink_skipped_total"
    assert value(metrics, skipped, topic="bank.app", why="broken") == 1
    assert value(metrics, skipped, topic="bank.app", why="unknown") == 1
    assert value(metrics, skipped, topic="vip.profiles", why="empty") == 1
    with running(feed, address) as again:  # what was committed is not read again
        feed.send_events(1)
        wait_until(sees(client, "events", 501), "one more event")
    assert value(again, "vipcare_sink_rows_total", table="events_raw") == 1


def test_a_clickhouse_that_goes_and_comes_back(feed: Feed, tmp_path: Path) -> None:
    server = Server(tmp_path)
    address = Address(host="127.0.0.1", port=server.port, database="away")
    migrate(address)
    with running(feed, address, rows=50) as metrics:
        feed.send_events(120)
        with client_of(address) as client:
            wait_until(sees(client, "events", 120), "events before")
        server.kill()
        feed.send_events(130)
        failed = "vipcare_sink_failures_total"
        wait_until(lambda: total(metrics, failed) >= 3, "three tries")
        assert value(metrics, "vipcare_sink_waiting") == 1
        feed.send_events(50)
        server = Server(tmp_path, port=address.port)
        with client_of(address) as client:
            wait_until(sees(client, "events", 300), "events after")
            counts = count_rows(client)
        assert value(metrics, "vipcare_sink_waiting") == 0
    server.stop()
    assert (counts["events"], counts["events_unique"]) == (300, 300)


def test_a_sink_killed_between_insert_and_commit(
    feed: Feed, address: Address, client: Client
) -> None:
    feed.send_events(200)
    program = [sys.executable, "-m", "tests.sink.killed_sink"]
    arguments = [feed.bootstrap, str(address.port), address.database]
    killed = subprocess.run([*program, *arguments], timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    inserted = count_of(client, "events")
    assert inserted > 0
    with running(feed, address) as metrics:
        wait_until(sees(client, "events", 200), "all events")
        rows = "vipcare_sink_rows_total"
        wait_until(lambda: value(metrics, rows, table="events_raw") == 200, "all read again")
    counts = count_rows(client)
    assert (counts["events"], counts["events_unique"]) == (200, 200)


def test_it_waits_for_the_tables(feed: Feed, new_address: Callable[[], Address]) -> None:
    address = new_address()
    feed.send_events(10)
    with running(feed, address) as metrics:
        wait_until(lambda: total(metrics, "vipcare_sink_failures_total") >= 2, "two tries")
        migrate(address)
        with client_of(address) as client:
            wait_until(sees(client, "events", 10), "all events")


def test_two_sinks_share_the_work(feed: Feed, address: Address, client: Client) -> None:
    with running(feed, address, rows=20):
        feed.send_events(100)
        wait_until(sees(client, "events", 100), "events of one sink")
        with running(feed, address, rows=20):
            feed.send_events(300)
            wait_until(sees(client, "events", 400), "events of two sinks")
        feed.send_events(100)
        wait_until(sees(client, "events", 500), "events of the one that stayed")
    assert count_of(client, "events_unique") == 500


def test_the_command_ends_on_sigterm_and_shows_no_data(
    feed: Feed, address: Address, client: Client, tmp_path: Path
) -> None:
    feed.send_events(40)
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "agents.cli.main", "sink"],
            stderr=output,
            env=_env(feed, address),
        )
        try:
            wait_until(sees(client, "events", 40), "all events")
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()
    text = log.read_text()
    assert '"sink_ready"' in text
    assert "Traceback" not in text
    assert "C100042" not in text


def test_a_taken_metrics_port_is_one_line(feed: Feed, address: Address) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        env = {**_env(feed, address), "VIPCARE_SINK__METRICS_PORT": str(taken.getsockname()[1])}
        ended = subprocess.run(
            [sys.executable, "-m", "agents.cli.main", "sink"],
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)
    assert "VIPCARE_SINK__METRICS_PORT" in ended.stderr


def test_topics_of_another_shape_are_refused_as_by_a_worker(
    fresh_broker: str, address: Address
) -> None:
    admin = AdminClient({"bootstrap.servers": fresh_broker, "log_level": 0})
    admin.create_topics([NewTopic("bank.card", 8, 1)])["bank.card"].result(20)
    env = {**_env(Feed(fresh_broker), address), "VIPCARE_SINK__METRICS_PORT": "0"}
    told = {
        part: subprocess.run(
            [sys.executable, "-m", "agents.cli.main", part],
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        for part in ("sink", "worker")
    }
    assert "topic bank.card has 8 partitions, not 2: the number is fixed" in told["sink"].stderr
    assert told["sink"].stderr == told["worker"].stderr
    assert told["sink"].returncode == told["worker"].returncode == 2


def _env(feed: Feed, address: Address) -> dict[str, str]:
    return {
        **os.environ,
        "VIPCARE_TOPICS__PARTITIONS": str(PARTITIONS),
        "VIPCARE_KAFKA__BOOTSTRAP": feed.bootstrap,
        "VIPCARE_KAFKA__TRANSACTIONS": "false",
        "VIPCARE_CLICKHOUSE__PORT": str(address.port),
        "VIPCARE_CLICKHOUSE__DATABASE": address.database,
    }
