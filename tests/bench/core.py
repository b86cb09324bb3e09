"""The peer: the pure core in this process, on the same events, with records kept decoded."""

import gc
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

from agents.bank.message import Message
from agents.core import core_settings, rule_set
from config.settings import Settings
from schemas.record import Record
from streams.chunk import apply_chunk, merge
from streams.context import Context
from streams.inputs import Raw
from streams.intake import read
from streams.partitioning import partition_of
from tests.bench.figures import Figures


def measure_core(settings: Settings, loaded: Sequence[Message]) -> Figures:
    """Decode, merge and step every event; no I/O, no effects sent, nothing stored."""
    context = Context(
        now=time.time_ns() // 1_000_000, rules=rule_set(settings), settings=core_settings(settings)
    )
    records: dict[str, Record] = {}

    def load(customer: str) -> Record:
        return records.get(customer) or Record(customer)

    chunks = list(_chunks(settings, loaded))
    # The messages of the whole run stand in memory here: no work of the core's collector.
    gc.freeze()
    began, cpu = time.perf_counter(), time.process_time()
    for chunk in chunks:
        buffers = {
            topic: [read(raw, context.settings) for raw in raws] for topic, raws in chunk.items()
        }
        records.update(apply_chunk(merge(buffers, context), load, context).records)
    return Figures(
        name="pure core",
        events=len(loaded),
        seconds=time.perf_counter() - began,
        cpu_seconds=time.process_time() - cpu,
    )


def _chunks(settings: Settings, loaded: Sequence[Message]) -> Iterator[dict[str, list[Raw]]]:
    """Chunks of the worker's size, partition by partition: topic → its messages."""
    offsets: defaultdict[tuple[str, int], int] = defaultdict(int)
    partitions: defaultdict[int, list[Raw]] = defaultdict(list)
    for message in loaded:
        partition = partition_of(message.key, settings.topics.partitions)
        place = (message.topic, partition)
        partitions[partition].append(
            Raw(message.topic, partition, offsets[place], message.key, message.value)
        )
        offsets[place] += 1
    size = settings.worker.chunk_events
    for raws in partitions.values():
        for start in range(0, len(raws), size):
            chunk: defaultdict[str, list[Raw]] = defaultdict(list)
            for raw in raws[start : start + size]:
                chunk[raw.topic].append(raw)
            yield chunk
