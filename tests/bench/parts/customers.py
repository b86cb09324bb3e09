"""Customers that are there already: a changelog full of valid records, without running a worker.

The records are the core's own: a customer's profile and some transfers were stepped, and a field
of the bank's own fills each up to the size that is wanted. A few hundred differ; the customers
share them. They stand in the changelog as a worker writes them, in transactions that end with
the partition's position; the inputs' places are their beginnings.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

from agents.core import core_settings, rule_set
from agents.kafka import producer_config
from agents.topics import changelog
from config.settings import Settings
from schemas.envelope import to_millis
from schemas.events import INPUT_TOPICS
from schemas.position import POSITION_KEY, Position, Range, encode_position
from schemas.record import Record
from streams.chunk import apply_chunk
from streams.context import Context
from streams.inputs import Raw
from streams.intake import read
from streams.partitioning import partition_of
from tests.bench.parts.traffic import TOPIC, Sender, customer, transfer

RECORD_BYTES = 1_024
_DIFFERENT = 200
_A_TRANSACTION = 4_000
_TRANSFERS = 3


def preload(settings: Settings, customers: int, record_bytes: int = RECORD_BYTES) -> int:
    """Records of so many customers in the changelog; returns how many messages that are."""
    partitions = settings.topics.partitions
    records = list(_records(settings, record_bytes))
    numbers: list[list[int]] = [[] for _ in range(partitions)]
    for number in range(customers):
        numbers[partition_of(customer(number).encode(), partitions)].append(number)
    for partition, mine in enumerate(numbers):
        _write(settings, partition, mine, records)
    return customers + sum(-(-len(mine) // _A_TRANSACTION) for mine in numbers)


def _write(settings: Settings, partition: int, mine: list[int], records: list[bytes]) -> None:
    topic = changelog(settings.worker.app)
    sender = Sender(
        settings.kafka,
        linger_ms=20,
        **producer_config(settings.kafka, settings.worker, partition),
    )
    sender.producer.init_transactions(30)
    for chunk, start in enumerate(range(0, len(mine), _A_TRANSACTION), start=1):
        sender.producer.begin_transaction()
        for number in mine[start : start + _A_TRANSACTION]:
            value = records[number % len(records)]
            sender.send(topic, customer(number).encode(), value, partition=partition)
        place = encode_position(_position(partition, chunk))
        sender.send(topic, POSITION_KEY, place, partition=partition)
        sender.producer.commit_transaction(60)


def _position(partition: int, number: int) -> Position:
    # An empty topic id is not compared: whoever takes over writes the true ones.
    start = Range(topic_id="", start=0, end=0)
    return Position(
        partition=partition,
        number=number,
        ranges=dict.fromkeys(INPUT_TOPICS, start),
        now=0,
        rules="",
    )


def _records(settings: Settings, size: int) -> Iterator[bytes]:
    """Encoded records of exactly this size."""
    chance = random.Random(size)
    now = datetime.now(UTC)
    context = Context(
        now=to_millis(now), rules=rule_set(settings), settings=core_settings(settings)
    )
    for number in range(_DIFFERENT):
        short = _record(context, number, "", now)
        filled = size - len(short)
        text = f"{chance.getrandbits(4 * size):0{size}x}"
        # Some bytes more than the text go with its length.
        for length in range(filled, max(0, filled - 8), -1):
            if len(whole := _record(context, number, text[:length], now)) == size:
                yield whole
                break
        else:
            raise ValueError(f"no record of {size} bytes: without a filling it has {len(short)}")


def _record(context: Context, number: int, filling: str, now: datetime) -> bytes:
    who = customer(number)
    partition = partition_of(who.encode(), context.settings.partitions)
    events = [_profile(number, filling, now)]
    events += [transfer(one, who, 100 + number, "before") for one in range(_TRANSFERS)]
    entries = [
        read(Raw(TOPIC, partition, offset, who.encode(), value), context.settings)
        for offset, value in enumerate(events)
    ]
    made = apply_chunk(entries, Record, context)
    stored = made.records[who].stored
    assert stored is not None, "a changed record was encoded"
    return stored


def _profile(number: int, filling: str, now: datetime) -> bytes:
    return (
        f'{{"specversion":"1.0","id":"profile-{number}","source":"bench",'
        f'"type":"customer.updated","subject":"{customer(number)}","time":"{now.isoformat()}",'
        f'"data":{{"name":"Customer {number}","tier":"gold","rm":"R{number % 50}",'
        f'"residence":"Shanghai","language":"zh","employer":"{filling}"}}}}'
    ).encode()
