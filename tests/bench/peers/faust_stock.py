"""Stock Faust: an agent over its own transport, a table in RocksDB with a changelog, at least once.

Tuned: uvloop, values as bytes decoded by msgspec.
"""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import faust
import uvloop

from streams.inputs import Raw
from tests.bench.peers import tally
from tests.bench.peers.care import Care
from tests.bench.peers.counter import Counter
from tests.bench.peers.task import ALERTS, Task, told

_RAW: dict[str, Any] = {
    "key_type": bytes,
    "value_type": bytes,
    "key_serializer": "raw",
    "value_serializer": "raw",
}
Events = faust.StreamT[bytes]


def main() -> None:
    uvloop.install()
    task = told()
    # Faust's worker reads the command line too.
    sys.argv[1:] = []
    app = faust.App(
        task.app,
        broker=f"kafka://{task.bootstrap}",
        store="rocksdb://",
        datadir=Path(task.folder),
        topic_partitions=task.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        broker_commit_interval=task.commit_s,
        broker_max_poll_records=5_000,
        producer_linger=0.02,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
    )
    inputs = app.topic(*task.topics, **_RAW)
    table = app.Table("customers", partitions=task.partitions, key_type=bytes, value_type=bytes)
    work = _tiny(app, table) if task.workload == "tiny" else _bank(app, table, task)

    counter = Counter(task.folder)

    async def agent(events: Events) -> None:
        async for event in events.events():
            await work(event)
            counter.add()

    app.agent(inputs)(agent)
    faust.Worker(app, loglevel="error").execute_from_commandline()


def _tiny(app: faust.App, table: Any) -> Callable[[Any], Awaitable[None]]:
    alerts = app.topic(ALERTS, **_RAW)

    async def work(event: Any) -> None:
        key, transfer = event.key, tally.parse(event.value)
        packed, count, total, large = tally.add(table.get(key) or tally.NOTHING, transfer)
        table[key] = packed
        if large:
            value = tally.alert(key.decode(), transfer, count, total)
            await alerts.send(key=key, value=value, partition=event.message.partition)

    return work


def _bank(app: faust.App, table: Any, task: Task) -> Callable[[Any], Awaitable[None]]:
    care = Care(task)
    outputs: dict[str, Any] = {}

    async def work(event: Any) -> None:
        message = event.message
        raw = Raw(message.topic, message.partition, message.offset, event.key, event.value)
        stored, made = care.one(raw, table.get(event.key))
        if stored is not None:
            table[event.key] = stored
        for topic, key, value in made:
            if topic not in outputs:
                outputs[topic] = app.topic(topic, **_RAW)
            await outputs[topic].send(key=key, value=value, partition=message.partition)

    return work


if __name__ == "__main__":
    main()
