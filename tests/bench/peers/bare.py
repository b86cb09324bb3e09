"""A bare loop over confluent-kafka: consume a batch, work, one transaction, then the local store.

What an expert would write by hand for one process: the changelog and the inputs' offsets in the
same transaction (exactly once), the local store written after the commit and rebuilt from the
changelog, state read once a batch and customer. No plug-ins, no rebalancing to speak of, no
metrics.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition
from rocksdict import BlockBasedOptions, Cache, DBCompressionType, Options, Rdict, WriteBatch

from tests.bench.peers.bare_bank import Bank
from tests.bench.peers.bare_tiny import Tiny
from tests.bench.peers.care import Sent
from tests.bench.peers.task import Task, told

_MB = 1024 * 1024


class Work(Protocol):
    """What is done to a batch."""

    def __call__(
        self, batch: Sequence[Message], store: Rdict
    ) -> tuple[dict[bytes, bytes], Iterable[Sent]]:
        """New states by key, and what is sent besides."""


def main() -> None:
    task = told()
    store = _open(task)
    producer = Producer(
        {
            "bootstrap.servers": task.bootstrap,
            "transactional.id": task.app,
            "linger.ms": 5,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 1_048_576,
        }
    )
    producer.init_transactions(60)
    _restore(task, store)
    work: Work = Tiny() if task.workload == "tiny" else Bank(task)
    consumer = Consumer(
        {
            "bootstrap.servers": task.bootstrap,
            "group.id": task.app,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "fetch.queue.backoff.ms": 5,
            "queued.min.messages": 200_000,
        }
    )
    consumer.subscribe(task.topics)
    while True:
        batch = [one for one in consumer.consume(task.batch, 0.05) if not one.error()]
        if batch:
            _apply(task, batch, work, store, producer, consumer)


def _apply(
    task: Task,
    batch: Sequence[Message],
    work: Work,
    store: Rdict,
    producer: Producer,
    consumer: Consumer,
) -> None:
    partition_of = {one.key(): one.partition() for one in batch}
    changes, made = work(batch, store)
    producer.begin_transaction()
    changelog = changelog_of(task)
    for key, value in changes.items():
        _produce(producer, changelog, key, value, partition_of[key])
    for topic, to, value in made:
        _produce(producer, topic, to, value, partition_of[to])
    ends = {(one.topic(), one.partition()): one.offset() + 1 for one in batch}
    offsets = [TopicPartition(topic, number, end) for (topic, number), end in ends.items()]
    producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata())
    producer.commit_transaction()
    # Only now: the local store is never ahead of the changelog.
    writing = WriteBatch(raw_mode=True)
    for key, value in changes.items():
        writing.put(key, value)
    store.write(writing)


def _produce(
    producer: Producer, topic: str, key: bytes | None, value: bytes, partition: int
) -> None:
    while True:
        try:
            producer.produce(topic, value, key, partition=partition)
        except BufferError:
            producer.poll(0.05)
        else:
            return


def changelog_of(task: Task) -> str:
    return f"{task.app}-changelog"


def _restore(task: Task, store: Rdict) -> None:
    """The whole changelog into the local store."""
    name = changelog_of(task)
    reader = Consumer(
        {
            "bootstrap.servers": task.bootstrap,
            "group.id": f"{task.app}-restore",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "fetch.queue.backoff.ms": 5,
        }
    )
    left = set(range(task.partitions))
    reader.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in left])
    while left:
        writing = WriteBatch(raw_mode=True)
        for one in reader.consume(5_000, 0.1):
            if one.error():
                left.discard(one.partition())
            else:
                writing.put(one.key(), one.value())
        store.write(writing)
    reader.close()


def _open(task: Task) -> Rdict:
    """The same sizes as the worker's local stores."""
    table = BlockBasedOptions()
    table.set_block_cache(Cache(64 * _MB))
    table.set_bloom_filter(10, block_based=False)
    options = Options(raw_mode=True)
    options.create_if_missing(create_if_missing=True)
    options.set_block_based_table_factory(table)
    options.set_write_buffer_size(64 * _MB)
    options.set_compression_type(DBCompressionType.lz4())
    return Rdict(f"{task.folder}/store", options)


if __name__ == "__main__":
    main()
