"""Facts in ClickHouse: the last of each, its history, and its fields as columns."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from clickhouse_driver import Client

from schemas.events.reference import FACT_TYPES
from sinks.clickhouse.address import Address
from sinks.clickhouse.batch import make_batch
from sinks.clickhouse.message import Message
from sinks.clickhouse.writer import Writer
from tests.schemas.examples import FACT_EXAMPLES, examples
from tests.sink.taken import taken


def messages(facts: list[tuple[str, str, bytes | None]]) -> list[Message]:
    """Topic, key and value, at offsets from 0."""
    return [
        Message(topic, 0, offset, 1_000, value, [], key.encode())
        for offset, (topic, key, value) in enumerate(facts)
    ]


def encoded(example: dict[str, object]) -> bytes:
    return json.dumps(example).encode()


def topic_of(example: dict[str, object]) -> str:
    return FACT_TYPES[str(example["type"])].topic


def store(address: Address, found: list[Message]) -> int:
    """Returns how many were no facts."""
    batch = make_batch(taken(found))
    writer = Writer(address)
    for table, rows in batch.rows.items():
        writer.insert(table, rows)
    writer.close()
    return sum(batch.skipped.values())


@pytest.fixture
def told(address: Address) -> None:
    every = [(topic_of(one), str(one["subject"]), encoded(one)) for one in FACT_EXAMPLES]
    assert store(address, messages(every)) == 0


def test_every_example_is_a_row_and_is_in_its_view(told: None, client: Client) -> None:
    ((count,),) = client.execute("SELECT count() FROM facts")
    assert count == len(FACT_EXAMPLES)
    rates = client.execute("SELECT currency, rate FROM exchange_rates")
    assert rates == [("USD", Decimal("7.1245"))]
    (mortgage,) = client.execute(
        "SELECT rate, currency FROM interest_rates WHERE interest_rate = 'mortgage'"
    )
    assert mortgage == (Decimal("0.0315"), None)
    titles = client.execute("SELECT title['en'] FROM products WHERE product_class = 'wealth'")
    assert titles == [("Steady wealth 7",)]
    assert client.execute("SELECT skills, active FROM rms WHERE rm = 'RM007'") == [
        (["fx", "trust"], False)
    ]
    assert client.execute("SELECT deputy FROM absences WHERE absence = 'A-1'") == [(None,)]
    (golf,) = client.execute(
        "SELECT title['en'], audience, base_cost FROM campaigns WHERE category = 'golf'"
    )
    assert golf == ("President's cup, an invitational golf tournament", "golf", Decimal(6800))


def test_no_name_of_a_person_is_there(told: None, client: Client) -> None:
    ((data,),) = client.execute("SELECT data FROM facts WHERE name = 'RM007'")
    assert "name" not in json.loads(data)


def test_the_last_one_holds_and_what_was_removed_does_not(address: Address, client: Client) -> None:
    client.execute("TRUNCATE TABLE facts_raw")
    first = examples("exchange_rate.set")[0]
    second = {**first, "id": "2", "data": {**first["data"], "rate": "8"}}
    key, topic = first["subject"], "bank.reference"
    every: list[tuple[str, str, bytes | None]] = [
        (topic, key, encoded(first)),
        (topic, key, encoded(second)),
        (topic, "exchange_rate:GBP", b"{"),
        (topic, "exchange_rate:EUR", encoded(first)),
    ]
    assert store(address, messages(every)) == 2
    assert client.execute("SELECT rate FROM exchange_rates") == [(Decimal(8),)]
    store(address, messages([*every, (topic, key, None)]))
    assert client.execute("SELECT rate FROM exchange_rates") == []
    assert client.execute("SELECT offset, removed FROM facts_history ORDER BY offset") == [
        (0, False),
        (1, False),
        (4, True),
    ]
