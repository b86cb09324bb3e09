"""A dead letter that is replayed counts once in ClickHouse, and no longer as one that waits."""

from __future__ import annotations

import json
import re

import pytest
from clickhouse_driver import Client

from agents.cli.main import run
from schemas.dead_letters import Reason, dead_letter
from sinks.clickhouse.address import Address
from tests.letters.conftest import event, send_letters
from tests.sink.running import Feed, count_of, running, wait_until
from tests.sink.test_readme import README

WAITING = re.findall(r"nobody has replayed.*?```sql\n(.*?)```", README, re.DOTALL)[0]


def test_a_replayed_event_counts_once(
    fresh_broker: str, address: Address, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = Feed(fresh_broker)
    values = [event(f"e{number}") for number in range(2)]
    for value in values:
        feed.send("bank.core", "C1", value, partition=0)
    feed.flush()
    told = [json.loads(value) for value in values]
    letters = [
        dead_letter(
            Reason.FUTURE, "ahead", topic="bank.core", partition=0, offset=number, key=b"C1",
            value=values[number], event_type=one["type"], event_source=one["source"],
            event_id=one["id"],
        )
        for number, one in enumerate(told)
    ]  # fmt: skip
    send_letters(fresh_broker, letters, partition=0)
    with running(feed, address):
        wait_until(lambda: len(client.execute(WAITING)) == 2, "two letters that wait")
        assert count_of(client, "events_unique") == 0
        monkeypatch.setenv("VIPCARE_KAFKA__BOOTSTRAP", fresh_broker)
        monkeypatch.setenv("VIPCARE_KAFKA__TRANSACTIONS", "false")
        monkeypatch.setenv("VIPCARE_TOPICS__PARTITIONS", str(feed.settings.topics.partitions))
        assert run(["dead-letters", "replay", str(letters[1].place)]) == 0
        wait_until(lambda: count_of(client, "events") == 3, "the replayed event")
        unique = client.execute("SELECT topic, id FROM events_unique")
        assert unique == [("vip.internal", told[1]["id"])]
        (waiting,) = client.execute(WAITING)
        assert waiting[:3] == ("bank.core", 0, 0)
