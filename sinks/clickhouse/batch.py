"""What was taken from Kafka in one go, as rows by table."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sinks.clickhouse.message import Message
from sinks.clickhouse.rows import Rows
from sinks.clickhouse.tables import TABLE_OF, Table


@dataclass(frozen=True, slots=True)
class Batch:
    messages: int
    rows: dict[Table, Rows] = field(default_factory=dict)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Topic and why (broken, unknown, empty) → how many messages no table holds."""


def make_batch(messages: Sequence[Message]) -> Batch:
    """Every message becomes a row or is counted; the worker makes the dead letters."""
    topics: dict[str, list[Message]] = {}
    for message in messages:
        topics.setdefault(message.topic, []).append(message)
    batch = Batch(len(messages))
    for topic, found in topics.items():
        table = TABLE_OF[topic]
        rows = table.rows(found)
        for why, count in rows.skipped.items():
            batch.skipped[topic, why] += count
        if rows:
            earlier = batch.rows.get(table)
            batch.rows[table] = rows if earlier is None else earlier + rows
    return batch
