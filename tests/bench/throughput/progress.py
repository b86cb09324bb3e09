"""How far a contender is, seen from outside: what it has committed.

Of Bytewax, which commits no offsets, and Faust, whose commits stand still in some runs, it is what
they have worked through, which is kinder to them."""

import mmap
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.position import decode_position

_COUNT = struct.Struct("<q")


class Progress(Protocol):
    def count(self) -> int:
        """Messages done since the contender began."""

    def close(self) -> None: ...


class Committed:
    """A consumer group's committed offsets."""

    def __init__(self, bootstrap: str, group: str, topics: Sequence[str], partitions: int) -> None:
        self._consumer = _reader(bootstrap, group)
        self._places = [
            TopicPartition(topic, number) for topic in topics for number in range(partitions)
        ]

    def count(self) -> int:
        return sum(max(one.offset, 0) for one in self._consumer.committed(self._places, 10))

    def close(self) -> None:
        self._consumer.close()


class Journal:
    """The worker's own journal: a position for each chunk, in the chunk's transaction."""

    def __init__(self, bootstrap: str, partitions: int) -> None:
        self._consumer = _reader(bootstrap, "vipcare-bench-journal")
        places = [TopicPartition("vip.journal", number) for number in range(partitions)]
        # Earlier runs wrote to it too: from its end on.
        for place in places:
            place.offset = end_of(self._consumer, place)
        self._consumer.assign(places)
        self._count = 0

    def count(self) -> int:
        for message in self._consumer.consume(10_000, 0):
            if message.error():
                raise RuntimeError(f"the journal cannot be read: {message.error()}")
            ranges = decode_position(message.value() or b"").ranges.values()
            self._count += sum(taken.end - taken.start for taken in ranges)
        return self._count

    def close(self) -> None:
        self._consumer.close()


def end_of(consumer: Consumer, place: TopicPartition) -> int:
    """The offset after its last message. A topic that was just made has no leader for a while."""
    deadline = time.monotonic() + 30
    while True:
        try:
            _, end = consumer.get_watermark_offsets(place, 10)
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return int(end)


class Counter:
    """A number in a file that the contender writes: see tests/bench/peers/counter.py."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(_COUNT.pack(0))
        with path.open("rb") as file:
            self._memory = mmap.mmap(file.fileno(), _COUNT.size, access=mmap.ACCESS_READ)

    def count(self) -> int:
        (count,) = _COUNT.unpack_from(self._memory)
        return int(count)

    def close(self) -> None:
        self._memory.close()


def _reader(bootstrap: str, group: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 20,
            "fetch.queue.backoff.ms": 5,
            "log_level": 0,
        }
    )
