"""The queries that the README, and that of the rules, show are run as they stand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from clickhouse_driver import Client

import sinks
from config.load_rules import SHIPPED
from sinks.clickhouse.address import Address
from sinks.clickhouse.batch import make_batch
from sinks.clickhouse.message import Message
from sinks.clickhouse.tables import VIEWS
from sinks.clickhouse.writer import Writer
from tests.schemas.examples import EFFECT_EXAMPLES, EVENT_EXAMPLES
from tests.sink.running import topic_of
from tests.sink.taken import taken

README = (Path(next(iter(sinks.__path__))) / "README.md").read_text(encoding="utf-8")
RULES = (SHIPPED / "README.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", README + RULES, re.DOTALL)
TOPICS = {
    "vip.task": "vip.tasks",
    "vip.alert": "vip.alerts",
    "vip.profile": "vip.profiles",
    "vip.decision": "vip.decisions",
    "action.taken": "vip.actions",
    "process.requested": "vip.actions",
}


@pytest.fixture
def filled(address: Address) -> None:
    sent = [(topic_of(one), one) for one in EVENT_EXAMPLES]
    sent += [(TOPICS[one["type"]], one) for one in EFFECT_EXAMPLES]
    messages = [
        Message(topic, 0, place, 0, json.dumps(one).encode(), [])
        for place, (topic, one) in enumerate(sent)
    ]
    writer = Writer(address)
    for table, rows in make_batch(taken(messages)).rows.items():
        writer.insert(table, rows)
    writer.close()


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_readme_runs(query: str, client: Client, filled: None) -> None:
    client.execute(query)


def test_the_readme_names_every_view() -> None:
    assert [view for view in VIEWS if f"`{view}`" not in README] == []
    assert len(QUERIES) >= 4
