"""What was taken from Kafka in one go, as rows by table."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sinks.clickhouse.message import Message, Row, Unstorable
from sinks.clickhouse.tables import TABLE_OF, Table


@dataclass(frozen=True, slots=True)
class Batch:
    rows: dict[Table, list[Row]] = field(default_factory=dict)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Topic and why (broken, unknown, empty) → how many messages no table holds."""


def make_batch(messages: Sequence[Message]) -> Batch:
    """Every message becomes a row or is counted; the worker makes the dead letters."""
    batch = Batch()
    for message in messages:
        table = TABLE_OF[message.topic]
        try:
            row = table.row(message)
        except Unstorable as problem:
            batch.skipped[message.topic, problem.why] += 1
        else:
            batch.rows.setdefault(table, []).append(row)
    return batch
