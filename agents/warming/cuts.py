"""Since which chunk of each partition windows are kept, as the journal tells it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agents.backtest.archived import UNKNOWN, Archived
from agents.backtest.spill import event_time
from agents.reading import partitions_of, read_partition
from agents.warming.error import WarmingError
from config.wires import KafkaSettings
from schemas.position import NOT_YET, Position, Since, decode_position
from streams.reach import LookBack

_JOURNAL = "vip.journal"


@dataclass(frozen=True, slots=True)
class Cut:
    """The beginning of a chunk: what lies before it is history to the windows that it began."""

    starts: Mapping[str, int]
    """Topic → the first offset of the chunk."""
    time: int
    """The partition's then, epoch milliseconds."""

    def lies_behind(self, one: Archived) -> bool:
        """Whether a message of the partition came before. Of one of a file without offsets its
        own time decides."""
        if one.partition == UNKNOWN:
            at = event_time(one.value)
            return at is not None and at < self.time
        return one.offset < self.starts.get(one.topic, 0)


@dataclass(slots=True)
class Kept:
    """What is known of a partition's windows."""

    partition: int
    reach: Mapping[str, Since] = field(default_factory=dict)
    cuts: dict[int, Cut] = field(default_factory=dict)
    """By the number of the chunk."""
    last: Position | None = None
    """None: it was never run."""

    def numbers(self, looks: Sequence[LookBack]) -> dict[str, int]:
        """Of the windows that can be filled, by the keys of their states, the chunks that began
        them. Raises WarmingError."""
        found = {}
        for key in dict.fromkeys(look.key for look in looks):
            since = self.reach.get(key)
            if since is None and self.last is not None:
                raise WarmingError(
                    f"partition {self.partition} does not keep the rule's windows yet, as its "
                    "journal tells it: does a worker run, and has it read the register "
                    "(`/healthz` says which rules it has)?"
                )
            if since is not None and since.number in self.cuts and not since.filled:
                found[key] = since.number
        return found

    def _take(self, position: Position) -> None:
        self.last = position
        if position.reach is None:
            return
        self.reach = position.reach
        if any(one.number == position.number for one in position.reach.values()):
            starts = {topic: taken.start for topic, taken in position.ranges.items()}
            time = position.partition_time
            self.cuts[position.number] = Cut(starts, position.now if time == NOT_YET else time)


def read_cuts(kafka: KafkaSettings) -> Iterator[Kept | None]:
    """Each partition's; None now and then, for whoever shows that something is done.

    Raises ReadingError and WarmingError.
    """
    for partition in range(partitions_of(kafka, _JOURNAL)):
        kept = Kept(partition)
        for count, found in enumerate(read_partition(kafka, _JOURNAL, partition), 1):
            kept._take(decode_position(found.value or b""))
            if not count % 1_000:
                yield None
        yield kept
