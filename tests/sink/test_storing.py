"""The storing thread: what it says of who was away, and a stop that keeps its time."""

from __future__ import annotations

import json
import threading
import time

import pytest
from structlog.testing import capture_logs

from agents.local.broker import EmbeddedBroker
from schemas.dead_letters import Reason, dead_letter
from schemas.metrics import SINK
from sinks.clickhouse.address import Address, client_of
from sinks.clickhouse.batch import make_batch
from sinks.clickhouse.letters import Letters
from sinks.clickhouse.message import Message
from sinks.clickhouse.points import no_fail_point
from sinks.clickhouse.storing import Storing
from sinks.clickhouse.writer import Writer
from sinks.metrics import Metrics
from tests.ports import free_port
from tests.schemas.examples import examples
from tests.sink.running import Feed, wait_until
from tests.sink.taken import taken
from tests.sink.test_refused import letters_of


def storing(writer: Writer, letters: Letters) -> Storing:
    return Storing(writer, letters, Metrics(SINK), 0.5, 100, no_fail_point)


class Stuck(Writer):
    """Waits for what no interrupt ends, such as a name that is not resolved."""

    def check(self) -> None:
        threading.Event().wait(30)


def test_a_stop_takes_as_long_as_it_may_and_no_longer(address: Address) -> None:
    one = storing(Stuck(address), Letters({}))
    one.start()
    began = time.monotonic()
    one.finish(2.0)
    assert 1.9 < time.monotonic() - began < 3.0


@pytest.mark.broker
def test_who_was_away_is_who_is_back(address: Address) -> None:
    """A dead letter waits for Kafka while ClickHouse is well."""
    event = json.dumps(examples("page.viewed")[0]).encode()
    messages = [Message("bank.app", 0, offset, 0, event, [], b"C1") for offset in range(2)]
    port = free_port()
    letters = Letters({"bootstrap.servers": f"127.0.0.1:{port}"})
    with client_of(address) as client, capture_logs() as logs:
        client.execute("ALTER TABLE events_raw ADD CONSTRAINT no CHECK offset != 1")
        try:
            one = storing(Writer(address), letters)
            one.start()
            one.wait_room(10)
            one.offer(make_batch(taken(messages)))
            wait_until(lambda: any(log["event"] == "kafka_away" for log in logs), "a silent Kafka")
            assert one.away == "kafka"
            with EmbeddedBroker(port) as broker:
                feed = Feed(broker.bootstrap)
                wait_until(lambda: one.stored == 1, "the batch")
                assert len(letters_of(feed, 1)) == 1
            assert not one.away
            one.finish(10)
        finally:
            client.execute("ALTER TABLE events_raw DROP CONSTRAINT no")
    told = [log["event"] for log in logs if log["event"].endswith(("_away", "_back"))]
    assert told == ["kafka_away", "kafka_back"]


@pytest.mark.broker
def test_two_sinks_send_dead_letters_at_a_time(fresh_broker: str) -> None:
    """Their producers are idempotent, on the embedded broker too: it drops no letter of one for
    those of the other, and takes none twice."""
    feed = Feed(fresh_broker)
    config = {"bootstrap.servers": fresh_broker}
    senders = [Letters(config), Letters(config)]
    for number in range(20):
        for which, sender in enumerate(senders):
            place = {"topic": "bank.app", "partition": which, "offset": number}
            sender.send([dead_letter(Reason.REFUSED, "no", key=b"C1", value=b"x", **place)])
    places = [one.place for one in letters_of(feed, 40)]
    assert len(places) == len({*places}) == 40
