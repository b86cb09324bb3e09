"""What an archive holds of the time before cuts, and how far back it goes."""

from collections.abc import Iterable, Iterator, Mapping

from agents.backtest.archived import UNKNOWN, Archived
from agents.backtest.spill import event_time
from agents.warming.cuts import Cut
from schemas.events import INTERNAL
from schemas.events.reference import GLOBAL_TOPICS
from streams.partitioning import partition_of

_NONE = 2**63


class History:
    """Goes through an archive once, and lets through what lies behind the last of a partition's
    cuts, and facts."""

    def __init__(self, cuts: Mapping[int, Iterable[Cut]], partitions: int) -> None:
        self._cuts = {partition: tuple(some) for partition, some in cuts.items()}
        self._partitions = partitions
        self._first: dict[tuple[str, int], tuple[int, int]] = {}
        """Topic and partition → where the first event stands, and its time."""
        self._begin: dict[tuple[str, int], int] = {}
        """Likewise → the first offset, be it no event that stands there."""
        self._next: dict[tuple[str, int], int] = {}
        self._earliest: int | None = None
        self.messages = 0

    @property
    def has_offsets(self) -> bool:
        return bool(self._next)

    def next(self, topic: str, partition: int) -> int:
        """The offset behind the last that was in the archive."""
        return self._next.get((topic, partition), 0)

    def of(self, archive: Iterable[Archived]) -> Iterator[Archived]:
        for one in archive:
            self.messages += 1
            if one.topic in GLOBAL_TOPICS:
                yield one
                continue
            self._note(one)
            partition = one.partition
            if partition == UNKNOWN:
                partition = partition_of(one.key, self._partitions)
            if any(cut.lies_behind(one) for cut in self._cuts.get(partition, ())):
                yield one

    def since(self) -> int | None:
        """From when on nothing is missing, epoch milliseconds; None if there is nothing at all.

        A topic whose beginning Kafka or ClickHouse removed begins with what is left.
        """
        if self._earliest is None:
            return None
        cut = [at for place, (_, at) in self._first.items() if self._begin[place] > 0]
        return max(self._earliest, *cut, 1)

    def _note(self, one: Archived) -> None:
        at = None if one.topic == INTERNAL else event_time(one.value)
        if at is not None:
            self._earliest = at if self._earliest is None else min(self._earliest, at)
        if one.partition == UNKNOWN:
            return
        place = one.topic, one.partition
        self._next[place] = max(self._next.get(place, 0), one.offset + 1)
        self._begin[place] = min(self._begin.get(place, one.offset), one.offset)
        first, _ = self._first.get(place, (_NONE, 0))
        if at is not None and one.offset < first:
            self._first[place] = one.offset, at
