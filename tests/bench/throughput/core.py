"""The pure core in this process: what of an event's cost no contender with our step can save."""

import gc
import time
from collections import defaultdict
from collections.abc import Iterator

from config.settings import WorkerSettings
from schemas.record import Record
from streams.chunk import apply_chunk, merge
from streams.inputs import Raw
from streams.intake import read
from streams.partitioning import partition_of
from tests.bench.throughput.bank import context_of
from tests.bench.throughput.workload import Workload

_CHUNK = WorkerSettings().chunk_events
_PARTITIONS = 4
_EVENTS = 40_000


def core_us(workload: Workload) -> float:
    """CPU microseconds to decode, merge and step an event and to encode its record once a chunk;
    no I/O, no record is decoded."""
    context = context_of(workload.rules, _PARTITIONS)
    records = {customer: Record(customer, stored) for customer, stored in workload.stored()}

    def load(customer: str) -> Record:
        return records.get(customer) or Record(customer)

    chunks = list(_chunks(workload))
    for customer in {one.key.decode() for one in workload.messages[:_EVENTS]} & records.keys():
        # Sections decode at first use; no part of what is measured.
        _ = records[customer].profile, records[customer].activity
    # What stands in memory for the whole run is no work of the core's collector.
    gc.freeze()
    began = time.process_time()
    for chunk in chunks:
        buffers = {
            topic: [read(raw, context.settings) for raw in raws] for topic, raws in chunk.items()
        }
        records.update(apply_chunk(merge(buffers, context), load, context).records)
    spent = time.process_time() - began
    gc.unfreeze()
    return spent / min(len(workload.messages), _EVENTS) * 1e6


def _chunks(workload: Workload) -> Iterator[dict[str, list[Raw]]]:
    """Chunks of the worker's size, partition by partition: topic → its messages."""
    partitions: defaultdict[int, list[Raw]] = defaultdict(list)
    for offset, one in enumerate(workload.messages[:_EVENTS]):
        number = partition_of(one.key, _PARTITIONS)
        partitions[number].append(Raw(one.topic, number, offset, one.key, one.value))
    for raws in partitions.values():
        for start in range(0, len(raws), _CHUNK):
            chunk: defaultdict[str, list[Raw]] = defaultdict(list)
            for raw in raws[start : start + _CHUNK]:
                chunk[raw.topic].append(raw)
            yield chunk
