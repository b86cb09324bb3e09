"""Messages as Kafka's driver gave them, column by column: what rows are made of is taken of all at
once, and a whole message only where somebody asks for one."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, overload

from confluent_kafka import Message as KafkaMessage

from sinks.clickhouse.message import Headers, Message

Place = tuple[str, int]
"""Topic and partition."""
T = TypeVar("T")


def shared(values: Sequence[T]) -> list[T]:
    """Equal values as one object, where there are few: the others are let go while they are in the
    processor's cache, and the driver looks at one that it knows."""
    first: dict[T, T] = {}
    return [*map(first.setdefault, values, values)]


class Messages:
    """Every list is as long as the others."""

    __slots__ = ("_found", "offsets", "partitions", "timestamps", "topics", "values")

    def __init__(self, found: Iterable[KafkaMessage] = ()) -> None:
        self._found: list[KafkaMessage] = []
        """For what is seldom asked for: keys and headers."""
        self.topics: list[str] = []
        self.partitions: list[int] = []
        self.offsets: list[int] = []
        self.timestamps: list[int] = []
        """Kafka's record timestamps, see Message."""
        self.values: list[bytes | None] = []
        self.extend([*found])

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, place: int) -> Message:
        found = self._found[place]
        return Message(
            topic=self.topics[place],
            partition=self.partitions[place],
            offset=self.offsets[place],
            timestamp=self.timestamps[place],
            value=self.values[place],
            headers=_headers(found),
            key=found.key(),
        )

    def extend(self, found: Sequence[KafkaMessage]) -> None:
        """What came after them, without what tells of errors and ends."""
        self._found += found
        topics: Iterable[Any] = map(KafkaMessage.topic, found)  # the stub allows None in all three
        partitions: Iterable[Any] = map(KafkaMessage.partition, found)
        offsets: Iterable[Any] = map(KafkaMessage.offset, found)
        self.topics += shared([*topics])
        self.partitions += partitions
        self.offsets += offsets
        self.timestamps += [stamp for _, stamp in map(KafkaMessage.timestamp, found)]
        self.values += map(KafkaMessage.value, found)

    def ends(self) -> dict[Place, int]:
        """Place → the offset behind the last message of it."""
        places = zip(self.topics, self.partitions, strict=True)
        last = dict(zip(places, self.offsets, strict=True))
        return {place: offset + 1 for place, offset in last.items()}

    def all(self) -> "Picked":
        return Picked(self, range(len(self)))

    def only(self, places: Iterable[int]) -> "Messages":
        return Messages(self._found[place] for place in places)


class Picked(Sequence[Message]):
    """Some of them, by their places; a message is made when it is asked for."""

    __slots__ = ("of", "places")

    def __init__(self, of: Messages, places: Sequence[int]) -> None:
        self.of = of
        self.places = places

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, which: int) -> Message: ...
    @overload
    def __getitem__(self, which: slice) -> "Picked": ...
    def __getitem__(self, which: int | slice) -> "Message | Picked":
        if isinstance(which, slice):
            return Picked(self.of, self.places[which])
        return self.of[self.places[which]]

    def __iter__(self) -> Iterator[Message]:
        return map(self.of.__getitem__, self.places)

    def taken(self, column: Sequence[T]) -> list[T]:
        """Their part of a column of all."""
        return [*map(column.__getitem__, self.places)]


def _headers(message: KafkaMessage) -> Headers:
    told: Any = message.headers()  # the stub allows more than is read
    return [one for one in told or [] if one[1] is not None]
