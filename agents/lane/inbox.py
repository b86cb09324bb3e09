"""What was fetched for one partition number and waits for its chunk, topic by topic."""

from collections import Counter, deque
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from streams.chunk import merge
from streams.context import Context
from streams.intake import Entry


class Inbox:
    """Buffers of decoded entries, bounded by asking Kafka only for topics with room."""

    def __init__(self, topics: Sequence[str], chunk_events: int, chunk_bytes: int) -> None:
        self._chunk_events = chunk_events
        self._chunk_bytes = chunk_bytes
        self._buffers: dict[str, deque[Entry]] = {topic: deque() for topic in topics}
        self._bytes: dict[str, int] = dict.fromkeys(topics, 0)
        self._usual: Counter[str] = Counter()
        """What the last chunk of some size had of each topic."""

    def add(self, topic: str, entries: Sequence[Entry]) -> None:
        self._buffers[topic].extend(entries)
        self._bytes[topic] += sum(map(_size, entries))

    def room(self, topic: str) -> bool:
        """Whether more of this topic should be fetched: less than half a chunk of it waits. Of all
        topics together that is more than a chunk, as a rule."""
        few = len(self._buffers[topic]) * 2 < self._chunk_events
        return few and self._bytes[topic] * 2 < self._chunk_bytes

    def head(self, topic: str, horizon: int) -> int | None:
        """The event time of the first message of a topic that has one and is not in the future."""
        for entry in self._buffers[topic]:
            if entry.input is not None and entry.input.at <= horizon:
                return entry.input.at
        return None

    @property
    def held(self) -> set[str]:
        """The topics of which something waits."""
        return {topic for topic, buffer in self._buffers.items() if buffer}

    @property
    def empty(self) -> bool:
        return not any(self._buffers.values())

    @property
    def full(self) -> bool:
        """Enough for a chunk: of the largest size, or what one topic alone may hold."""
        count = sum(map(len, self._buffers.values()))
        if count >= self._chunk_events or sum(self._bytes.values()) >= self._chunk_bytes:
            return True
        return not all(map(self.room, self._buffers))

    def short(self, more: AbstractSet[str]) -> bool:
        """Whether the next chunk would probably end early, with what is held of one of these."""
        return any(0 < len(self._buffers[topic]) < self._usual[topic] for topic in more)

    def take(self, context: Context, more: AbstractSet[str] = frozenset()) -> list[Entry]:
        """The next chunk, in the order that counts: at least one entry, and none beyond what is
        held of a topic of which `more` is to come."""
        held = {topic: buffer for topic, buffer in self._buffers.items() if buffer}
        chunk = merge(held, context, self._chunk_events, self._chunk_bytes, more & held.keys())
        counts = Counter(entry.raw.topic for entry in chunk)
        if len(chunk) >= self._chunk_events // 2:
            self._usual = counts
        for topic, count in counts.items():
            popped = self._buffers[topic].popleft
            self._bytes[topic] -= sum([_size(popped()) for _ in range(count)])
        return chunk

    def clear(self) -> None:
        for topic, buffer in self._buffers.items():
            buffer.clear()
            self._bytes[topic] = 0


def _size(entry: Entry) -> int:
    return len(entry.raw.value or b"")
