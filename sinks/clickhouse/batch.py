"""What was taken from Kafka in one go, as rows by table."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

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
    tables: dict[Table, list[Message]] = {}
    for topic, run in groupby(messages, itemgetter(0)):  # partition by partition, as they came
        tables.setdefault(TABLE_OF[topic], []).extend(run)
    batch = Batch(len(messages))
    for table, found in tables.items():
        rows = table.rows(found)
        batch.skipped.update(rows.skipped)
        if rows:
            batch.rows[table] = rows
    return batch
