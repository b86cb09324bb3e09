"""A swap that is ended at the worst moment: all is exchanged or nothing, and no row is lost."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest
from click.testing import CliRunner
from clickhouse_driver import Client

from agents.cli.main import cli
from agents.doctor.clickhouse import schema
from agents.doctor.finding import Verdict
from sinks.clickhouse.address import Address, client_of
from sinks.clickhouse.rebuild import hold
from sinks.clickhouse.rebuild import leftovers as leftovers_module
from sinks.clickhouse.rebuild.beside import Beside, views_of
from sinks.clickhouse.rebuild.errors import RebuildError
from sinks.clickhouse.rebuild.hold import Hold, holds
from sinks.clickhouse.rebuild.leftovers import leftovers
from sinks.clickhouse.rebuild.run import Done, Rebuild
from sinks.clickhouse.tables import EVENTS
from tests.doctor.looking import found, the_only
from tests.sink.cutting import CuttingWire
from tests.sink.running import Feed, count_of, running, value, wait_until
from tests.sink.test_rebuild import environment, rebuild

pytestmark = pytest.mark.broker
FAILURES = "vipcare_sink_failures_total"
SPOILT = "SELECT count() FROM events WHERE rest = 'spoilt'"


@pytest.fixture
def feed(fresh_broker: str) -> Feed:
    """With 200 events."""
    feed = Feed(fresh_broker)
    feed.send_events(200)
    return feed


@pytest.fixture
def own(own: Address) -> Address:
    """With a materialized view."""
    with client_of(own) as client:
        client.execute("CREATE TABLE seen (id String) ENGINE = MergeTree ORDER BY id")
        client.execute("CREATE MATERIALIZED VIEW see TO seen AS SELECT id FROM events_raw")
    return own


def spoil(client: Client) -> None:
    """The 200 rows, once they are there."""
    wait_until(lambda: count_of(client, "events") == 200, "a beginning")
    client.execute(
        "ALTER TABLE events_raw UPDATE rest = 'spoilt' WHERE 1 SETTINGS mutations_sync = 2"
    )


def goes_on(feed: Feed, client: Client) -> None:
    """The sink does, into a whole table and its view."""
    feed.send_events(50)
    wait_until(lambda: count_of(client, "events") == 250, "what came later")
    wait_until(lambda: count_of(client, "seen") == 250, "it in the view, which is filled after it")
    assert client.execute("SELECT count(), uniqExact(id) FROM seen") == [(250, 250)]
    assert leftovers(client) == []


def run(work: Rebuild) -> Done:
    return work.run(work.plan(), lambda _: None, may_lose=False)


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("hears", [False, True])
def test_a_connection_that_breaks_leaves_all_exchanged_or_nothing(
    nth: int, hears: bool, feed: Feed, own: Address, own_client: Client
) -> None:
    with running(feed, own):
        spoil(own_client)
        with CuttingWire(own.port, b"EXCHANGE TABLES", nth, hears=hears) as wire:
            work = rebuild(feed, replace(own, port=wire.port))
            if (nth, hears) == (2, True):
                assert run(work).filled.rows == 200
            else:
                with pytest.raises(RebuildError, match="as it was"):
                    run(work)
            assert wire.has_cut
        assert own_client.execute(SPOILT) == [(0 if (nth, hears) == (2, True) else 200,)]
        goes_on(feed, own_client)


@pytest.mark.parametrize(("word", "done"), [(b"_gate SYNC", False), (b"_hold SYNC", True)])
@pytest.mark.parametrize("hears", [False, True])
def test_a_connection_that_breaks_beside_the_exchanges_leaves_no_hold(
    word: bytes, done: bool, hears: bool, feed: Feed, own: Address, own_client: Client
) -> None:
    """While inserts come to be held, and while they are let go on."""
    with running(feed, own):
        spoil(own_client)
        with CuttingWire(own.port, word, 1, hears=hears) as wire:
            work = rebuild(feed, replace(own, port=wire.port))
            if done:
                assert run(work).filled.rows == 200
            else:
                with pytest.raises(RebuildError, match="it ends the connection"):
                    run(work)
            assert wire.has_cut
        assert own_client.execute(SPOILT) == [(0 if done else 200,)]
        goes_on(feed, own_client)


def test_what_cannot_be_settled_is_kept_and_migrate_settles_it(
    feed: Feed, own: Address, own_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.clickhouse.rebuild.run._SETTLE_S", 1.0)
    for name, text in environment(feed, own).items():
        monkeypatch.setenv(name, text)
    with running(feed, own) as metrics:
        spoil(own_client)
        with CuttingWire(own.port, b"EXCHANGE TABLES", 2, hears=False, stays_away=True) as wire:
            work = rebuild(feed, replace(own, port=wire.port))
            with pytest.raises(RebuildError, match="`vipcare migrate` settles it"):
                run(work)
        assert work.left
        [held] = holds(own_client)
        rows = [own_client.execute(f"SELECT count() FROM {one.beside}") for one in held.exchanges]
        assert rows == [[(200,)], [(200,)]]  # the old table, and the new target
        feed.send_events(10)
        wait_until(lambda: value(metrics, FAILURES, why="tables") > 0, "a sink that waits")
        settings = feed.settings.model_copy(
            update={
                "clickhouse": feed.settings.clickhouse.model_copy(
                    update={"port": own.port, "database": own.database}
                )
            }
        )
        finding = the_only(found(schema, settings), Verdict.FAIL, "events_raw are held for")
        assert "vipcare migrate" in finding.advice
        young = CliRunner().invoke(cli, ["migrate"], catch_exceptions=False)
        assert "say this again in a minute" in young.output
        assert holds(own_client)
        monkeypatch.setattr(hold, "YOUNG_S", 0)
        told = CliRunner().invoke(cli, ["migrate"], catch_exceptions=False)
        assert "they go on, and the table is as it was" in told.output
        assert leftovers(own_client) == []
        wait_until(lambda: count_of(own_client, "events") == 210, "the sink to go on")
    assert own_client.execute(SPOILT) == [(200,)]


def test_the_hold_of_a_rebuild_that_was_killed_is_taken_away_by_the_next(
    feed: Feed, own: Address, own_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(feed, own):
        spoil(own_client)
        killed = Beside(own_client, EVENTS, views_of(own_client, EVENTS), "dead")
        killed.make()
        held = killed.hold()
        own_client.execute(held.exchanges[0].statement)  # and nothing more
        with pytest.raises(RebuildError, match="try again in a minute"):
            run(rebuild(feed, own))
        monkeypatch.setattr(hold, "YOUNG_S", 0)
        monkeypatch.setattr(leftovers_module, "QUIET_S", 0)
        assert run(rebuild(feed, own)).filled.rows == 200
        assert own_client.execute(SPOILT) == [(0,)]
        goes_on(feed, own_client)


def test_an_interrupt_before_the_swap_leaves_the_table_as_it_was(
    feed: Feed, own: Address, own_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Beside.hold

    def interrupted(beside: Beside) -> Hold:
        held = original(beside)
        os.kill(os.getpid(), signal.SIGINT)
        return held

    monkeypatch.setattr(Beside, "hold", interrupted)
    with running(feed, own):
        spoil(own_client)
        with pytest.raises(KeyboardInterrupt):
            run(rebuild(feed, own))
        assert own_client.execute(SPOILT) == [(200,)]
        goes_on(feed, own_client)


def test_an_interrupt_during_the_swap_comes_too_late(
    feed: Feed, own: Address, own_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Beside.swap

    def interrupted(beside: Beside, held: Hold) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        original(beside, held)

    monkeypatch.setattr(Beside, "swap", interrupted)
    with running(feed, own):
        spoil(own_client)
        try:
            done = run(rebuild(feed, own))
        except KeyboardInterrupt:
            pytest.fail("it says that the table is as it was")
        assert done.filled.rows == 200
        assert own_client.execute(SPOILT) == [(0,)]
        goes_on(feed, own_client)
