"""The oracle of one partition: the pure core run over the journal, on the inputs as they stand.

It reads the journal, the inputs by the journal's ranges and the changelog, and nothing else of
what the worker wrote. What it finds wrong by itself are gaps, inputs that were not applied, and
final records that differ.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from agents.reading import Found, RangeReader, read_partition
from agents.reconciliation.compare import Differences, differing
from agents.topics import changelog
from config.settings import Settings
from schemas.events import INPUT_TOPICS
from schemas.position import POSITION_KEY, Position, decode_position
from schemas.record import Record
from streams.chunk import Outcome
from streams.context import Context, CoreSettings
from streams.inputs import Raw
from streams.replay import replay
from streams.rules.ruleset import RuleSet


@dataclass(slots=True)
class Tally:
    """What the oracle counted, over all partitions it ran."""

    events: int = 0
    """Messages that the journal's ranges hold."""
    counts: Counter[str] = field(default_factory=Counter)
    """See streams.chunk.Outcome."""


class JournalError(ValueError):
    """The journal cannot be followed; one line."""


@dataclass(frozen=True, slots=True)
class Oracle:
    settings: Settings
    core: CoreSettings
    rules: RuleSet
    differences: Differences
    tally: Tally
    on_event: Callable[[Found], None]
    """Is told every message that is replayed."""

    def run(self, partition: int) -> Iterator[Outcome]:
        """Yield what every journalled chunk makes; then check the records and the inputs' ends."""
        last: list[Position] = []
        records: dict[str, bytes] = {}
        reader = RangeReader(self.settings.kafka, partition)

        def read_range(topic: str, _: int, start: int, end: int) -> Sequence[Raw]:
            found = reader.take(topic, start, end)
            self.tally.events += len(found)
            for one in found:
                self.on_event(one)
            return [one.raw() for one in found]

        try:
            journal = self._journal(partition, last)
            for outcome in replay(journal, read_range, self._context, records):
                self.tally.counts.update(outcome.counts)
                yield outcome
        except ValueError as error:
            self.differences.add(str(error))
            return
        self._check_ends(partition, last, reader)
        self._check_changelog(partition, last, records)

    def _journal(self, partition: int, last: list[Position]) -> Iterator[Position]:
        """The positions in order; `last` holds the latest. Raises JournalError."""
        ends: dict[str, int] = {}
        for found in read_partition(self.settings.kafka, "vip.journal", partition):
            position = decode_position(found.value or b"")
            for topic, taken in position.ranges.items():
                if taken.start != ends.setdefault(topic, taken.start):
                    raise JournalError(
                        f"journal of partition {partition}: position {position.number} takes "
                        f"{topic} from {taken.start}, the one before it ended at {ends[topic]}"
                    )
                ends[topic] = taken.end
            last[:] = [position]
            yield position

    def _context(self, position: Position) -> Context:
        if position.rules != self.rules.digest:
            raise JournalError(
                f"journal of partition {position.partition}: position {position.number} was made "
                f"with the rules {position.rules}, those loaded are {self.rules.digest}"
            )
        return Context(position.now, self.rules, self.core, position.partition_time)

    def _check_ends(self, partition: int, last: list[Position], reader: RangeReader) -> None:
        ends = last[0].ends() if last else {}
        for topic in INPUT_TOPICS:
            if left := reader.rest(topic, ends.get(topic, 0)):
                self.differences.add(f"{topic}[{partition}]: {left} messages were not applied")

    def _check_changelog(
        self, partition: int, last: list[Position], records: dict[str, bytes]
    ) -> None:
        topic = changelog(self.settings.worker.app)
        latest: dict[bytes | None, bytes | None] = {
            found.key: found.value
            for found in read_partition(self.settings.kafka, topic, partition)
        }
        position = latest.pop(POSITION_KEY, None)
        if (decode_position(position) if position else None) != (last[0] if last else None):
            self.differences.add(f"partition {partition}: the changelog's position is not the last")
        kept = {key.decode(): value for key, value in latest.items() if key and value}
        for customer in sorted(kept.keys() | records.keys()):
            if kept.get(customer) != records.get(customer):
                what = _how(kept.get(customer), records.get(customer))
                self.differences.add(f"record of {customer}: {what}")


def _how(kept: bytes | None, replayed: bytes | None) -> str:
    if kept is None:
        return "the oracle has it, the changelog has not"
    if replayed is None:
        return "the changelog has it, the oracle has not"
    one, other = Record("", kept), Record("", replayed)
    fields = [
        *differing(one.header, other.header, "header"),
        *differing(one.profile, other.profile, "profile"),
        *differing(one.activity, other.activity, "activity"),
    ]
    return f"the oracle and the changelog differ in {', '.join(fields) or 'their bytes'}"
