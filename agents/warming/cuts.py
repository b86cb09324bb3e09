"""Since which chunk of each partition windows are kept, as the journal tells it."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agents.backtest.archived import UNKNOWN, Archived
from agents.backtest.spill import event_time
from agents.reading import partitions_of, read_partition
from agents.warming.error import WarmingError
from config.wires import KafkaSettings
from schemas.position import JOURNAL_TOPIC, NOT_YET, Position, Since, decode_position
from streams.reach import LookBack


@dataclass(frozen=True, slots=True)
class Cut:
    """The beginning of a chunk: what lies before it is history to the windows that it began."""

    starts: Mapping[str, int]
    """Topic → the first offset of the chunk."""
    time: int
    """The partition's then, or when it was known first; epoch milliseconds."""

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

    def numbers(self, looks: Sequence[LookBack], shared: Container[str]) -> dict[str, int]:
        """Of the windows that can be filled, by the keys of their states, the chunks that began
        them. Those that are `shared` with other rules only if they are as new as the rule's newest.
        Raises WarmingError."""
        keys = dict.fromkeys(look.key for look in looks)
        if any(key not in self.reach for key in keys):
            raise WarmingError(
                f"partition {self.partition} does not keep the rule's windows yet, as its journal "
                "tells it: does a worker run, and has it read the register (`/healthz` says which "
                "rules it has)?"
            )
        newest = max(self.reach[key].lack_before for key in keys)
        found = {key: since for key in keys if not (since := self.reach[key]).filled}
        return {
            key: since.lack_before
            for key, since in found.items()
            if since.lack_before in self.cuts and (key not in shared or since.lack_before == newest)
        }

    def take(self, position: Position) -> None:
        """The next of the journal."""
        self.last = position
        if position.reach is None:
            return
        self.reach = position.reach
        starts = {topic: taken.start for topic, taken in position.ranges.items()}
        for since in position.reach.values():
            number = since.lack_before
            if number == position.number:
                self.cuts[number] = Cut(starts, position.partition_time)
            elif (cut := self.cuts.get(number)) is not None and cut.time == NOT_YET:
                self.cuts[number] = replace(cut, time=since.time)


def read_cuts(kafka: KafkaSettings) -> Iterator[Kept | None]:
    """Each partition's; None now and then, for whoever shows that something is done.

    Raises ReadingError and WarmingError.
    """
    for partition in range(partitions_of(kafka, JOURNAL_TOPIC)):
        kept = Kept(partition)
        for count, found in enumerate(read_partition(kafka, JOURNAL_TOPIC, partition), 1):
            kept.take(decode_position(found.value or b""))
            if not count % 1_000:
                yield None
        yield kept
