"""The order in which a worker took one customer's messages, as the journal tells it."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from agents.reading import RangeReader, read_partition
from config.settings import Settings
from schemas.position import JOURNAL_TOPIC, Position, Since, decode_position
from streams.backtest.play import in_order
from streams.chunk import merge
from streams.context import Context, CoreSettings
from streams.inputs import Input, Raw
from streams.intake import Entry, read
from streams.rules.compiler import NO_RULES

_Place = tuple[str, int]
"""A topic and an offset in it."""


class Chunk(NamedTuple):
    """In which something was taken."""

    number: int
    """Of the partition's, from 1."""
    now: int
    """Bank time, epoch milliseconds."""
    register: int
    """Up to which offset the register of rules was used."""
    reach: int
    """Its place among the `reaches`."""
    time: int
    """The partition's, epoch milliseconds: timers up to there fired before what it took."""


class Reached(NamedTuple):
    since: int
    """Bank time, epoch milliseconds."""
    kept: Mapping[str, Since]
    """How far back windows reach from then on, by the keys of their states."""


class Clocks(NamedTuple):
    """Of each chunk, in order; epoch milliseconds."""

    now: "array[int]"
    """The bank's clock."""
    reached: "array[int]"
    """The partition's time."""


class Taken:
    """What stands in no chunk was taken before the journal begins, or not yet."""

    def __init__(
        self,
        places: Mapping[_Place, Chunk],
        begins: Mapping[str, int],
        reaches: Sequence[Reached],
        clocks: Clocks,
    ) -> None:
        """`places` are in the order in which they were taken; `begins`: topic → from which offset
        on the journal tells of it; `reaches` are in order, the first from before it begins, none
        where it tells none."""
        self._chunks = places
        self._places = {place: number for number, place in enumerate(places)}
        self._begins = begins
        self.reaches = reaches
        self._clocks = clocks

    def __contains__(self, one: Input) -> bool:
        return (one.topic, one.offset) in self._places

    def at(self, one: Input) -> int | None:
        """When it was taken, bank time in epoch milliseconds; None if it stands in no chunk."""
        chunk = self.chunk(one)
        return None if chunk is None else chunk.now

    def time_at(self, now: int) -> int:
        """The partition's time at a time of the bank's clock, both in epoch milliseconds."""
        place = bisect_right(self._clocks.now, now)
        return self._clocks.reached[place - 1] if place else -1

    def chunk(self, one: Input | Raw) -> Chunk | None:
        return self._chunks.get((one.topic, one.offset))

    def in_order(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those that stand in no chunk by their times, before the others or behind them."""
        return sorted(in_order(entries), key=self._rank)

    def is_before(self, raw: Raw) -> bool:
        """Whether it was taken before the journal begins."""
        return raw.offset < self._begins.get(raw.topic, 0)

    def _rank(self, entry: Entry) -> int:
        raw = entry.raw
        if (raw.topic, raw.offset) in self._places:
            return self._places[raw.topic, raw.offset]
        return -1 if self.is_before(raw) else len(self._places)


def read_taken(
    settings: Settings, core: CoreSettings, partition: int, places: Iterable[_Place]
) -> Taken | None:
    """The order of a customer's messages, which stand at these places; None if no chunk has one.
    Raises ReadingError."""
    offsets: dict[str, list[int]] = {}
    for topic, offset in sorted(places):
        offsets.setdefault(topic, []).append(offset)
    reader = RangeReader(settings.kafka, partition)
    ordered: dict[_Place, Chunk] = {}
    begins: dict[str, int] = {}
    reaches: list[Reached] = []
    clocks = Clocks(array("q"), array("q"))
    for found in read_partition(settings.kafka, JOURNAL_TOPIC, partition):
        position = decode_position(found.value or b"")
        clocks.now.append(position.now)
        clocks.reached.append(position.partition_time)
        if position.reach is not None:
            reaches += [] if reaches else [_reached_before(position.reach, position)]
            began = _before_fills(position.reach, reaches[-1].kept)
            _extend(reaches, position.now, began)
        reach = max(len(reaches) - 1, 0)
        begins = begins or {topic: taken.start for topic, taken in position.ranges.items()}
        mine = {
            topic: some[bisect_left(some, taken.start) : bisect_left(some, taken.end)]
            for topic, taken in position.ranges.items()
            if (some := offsets.get(topic))
        }
        chunk = Chunk(
            position.number, position.now, position.register, reach, position.partition_time
        )
        for place in _merged(position, {one: at for one, at in mine.items() if at}, reader, core):
            ordered[place] = chunk
        if position.reach is not None:
            _extend(reaches, position.now, position.reach)
    return Taken(ordered, begins, reaches, clocks) if ordered else None


def _reached_before(kept: Mapping[str, Since], position: Position) -> Reached:
    """Before the first chunk that tells of it: what that one began was not there yet."""
    return Reached(0, {key: one for key, one in kept.items() if one.number < position.number})


def _before_fills(kept: Mapping[str, Since], before: Mapping[str, Since]) -> Mapping[str, Since]:
    """What a chunk's own messages met: that windows are filled holds behind it."""
    return {
        key: replace(one, time=was.time, filled=False)
        if (was := before.get(key)) is not None and one.filled and not was.filled
        else one
        for key, one in kept.items()
    }


def _extend(reaches: list[Reached], since: int, kept: Mapping[str, Since]) -> None:
    if kept != reaches[-1].kept:
        reaches.append(Reached(since, kept))


def _merged(
    position: Position, mine: Mapping[str, Sequence[int]], reader: RangeReader, core: CoreSettings
) -> Iterable[_Place]:
    """A chunk has each topic's in their order; only those of several are read once more, since
    the others of the chunk decide how they are put together."""
    if len(mine) < 2:
        return [(topic, offset) for topic, some in mine.items() for offset in some]
    context: Any = Context(position.now, NO_RULES, core, position.partition_time)
    buffers = {}
    for topic in mine:
        taken = position.ranges[topic]
        buffers[topic] = [
            read(one.raw(), core) for one in reader.take(topic, taken.start, taken.end)
        ]
    entries = merge(buffers, context)
    places = [(one.raw.topic, one.raw.offset) for one in entries]
    return [place for place in places if place[1] in mine[place[0]]]
