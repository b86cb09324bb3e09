"""Bytewax: keyed state in the dataflow, snapshots into SQLite at each epoch, at least once.

It commits no offsets to Kafka: where it resumes is in its snapshots. So it tells how many messages
it has worked through by a number in a file.
"""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from tests.bench.peers import tally
from tests.bench.peers.counter import Counter
from tests.bench.peers.task import ALERTS, Task, told

_BATCH = 5_000


def main() -> None:
    task = told()
    snapshots = Path(task.folder, "snapshots")
    snapshots.mkdir()
    init_db_dir(snapshots, 1)
    cli_main(
        _flow(task),
        epoch_interval=timedelta(seconds=task.commit_s),
        recovery_config=RecoveryConfig(str(snapshots)),
    )


def _flow(task: Task) -> Dataflow:
    counter = Counter(task.folder)
    config = {"fetch.queue.backoff.ms": "5", "queued.min.messages": "100000"}
    flow = Dataflow("tiny")
    source = KafkaSource([task.bootstrap], task.topics, add_config=config, batch_size=_BATCH)
    read = op.input("read", flow, source)
    # A mapper of stateful_flat_map sees no key: it goes along with the value.
    keyed = op.map("key", read, lambda one: (one.key.decode(), one))

    def step(state: bytes | None, message: KafkaSourceMessage) -> tuple[bytes, Iterable[bytes]]:
        transfer = tally.parse(message.value)
        packed, count, total, large = tally.add(state or tally.NOTHING, transfer)
        counter.add()
        customer = message.key.decode()
        return packed, [tally.alert(customer, transfer, count, total)] if large else ()

    made = op.stateful_flat_map("tally", keyed, step)
    out = op.map("message", made, lambda pair: KafkaSinkMessage(pair[0].encode(), pair[1]))
    op.output("alert", out, KafkaSink([task.bootstrap], ALERTS, add_config={"linger.ms": "20"}))
    return flow


if __name__ == "__main__":
    main()
