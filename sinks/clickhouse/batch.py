"""What was taken from Kafka in one go, as rows by table."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby

from sinks.clickhouse.messages import Messages, Picked
from sinks.clickhouse.rows import Rows
from sinks.clickhouse.tables import TABLE_OF, Table


@dataclass(frozen=True, slots=True)
class Batch:
    messages: int
    rows: dict[Table, Rows] = field(default_factory=dict)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Topic and why (broken, unknown, empty) → how many messages no table holds."""


def make_batch(messages: Messages) -> Batch:
    """Every message becomes a row or is counted; the worker makes the dead letters."""
    tables: dict[Table, list[int]] = {}
    begin = 0
    for topic, run in groupby(messages.topics):  # partition by partition, as they came
        end = begin + len([*run])
        tables.setdefault(TABLE_OF[topic], []).extend(range(begin, end))
        begin = end
    batch = Batch(len(messages))
    for table, places in tables.items():
        rows = table.rows(Picked(messages, places))
        batch.skipped.update(rows.skipped)
        if rows:
            batch.rows[table] = rows
    return batch
