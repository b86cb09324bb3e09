"""The oracle of one partition: the pure core run over the journal, on the inputs as they stand.

It reads the journal, the inputs by the journal's ranges and the changelog, and nothing else of
what the worker wrote. What it finds wrong by itself are gaps, inputs that were not applied, and
final records that differ.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from agents.reading import Found, Onward, RangeReader
from agents.reconciliation.compare import Differences, differing
from agents.reconciliation.past_facts import PastFacts
from agents.reconciliation.past_rules import PastRules
from agents.topics import changelog
from config.settings import Settings
from schemas.events import INPUT_TOPICS
from schemas.position import (
    JOURNAL_TOPIC,
    POSITION_KEY,
    REACH_KEY,
    Position,
    decode_position,
)
from schemas.record import Record
from streams.chunk import Outcome
from streams.context import Context, CoreSettings
from streams.facts import Facts
from streams.inputs import Raw
from streams.replay import replay


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
    rules: PastRules
    differences: Differences
    tally: Tally
    on_event: Callable[[Found], None]
    """Is told every message that is replayed."""

    def partition(self, number: int) -> "PartitionOracle":
        return PartitionOracle(self, number)

    def context(self, position: Position, facts: Facts) -> Context:
        rules = self.rules.at(position.register)
        if position.rules != rules.digest:
            raise JournalError(
                f"journal of partition {position.partition}: position {position.number} was made "
                f"with the rules {position.rules}, those loaded are {rules.digest}"
            )
        now, time = position.now, position.partition_time
        return Context(now, rules, self.core, time, facts, register=position.register)


class PartitionOracle:
    """Goes on from where it was: what it has replayed is not replayed again."""

    def __init__(self, oracle: Oracle, partition: int) -> None:
        self._oracle = oracle
        self._partition = partition
        self._onward = Onward(oracle.settings.kafka)
        self._reader = RangeReader(oracle.settings.kafka, partition)
        self._last: Position | None = None
        self._records: dict[str, bytes] = {}
        self._changelog: dict[bytes | None, bytes | None] = {}
        self._ahead: deque[Position] = deque()
        journal = iter(self._ahead.popleft, None)
        self._facts = PastFacts(oracle.settings.kafka)
        self._replay = replay(journal, self._read_range, self._context, self._records)

    def run(self) -> Iterator[Outcome]:
        """Yield what every newly journalled chunk makes; then check the records and the ends."""
        self._reader = RangeReader(self._oracle.settings.kafka, self._partition)
        self._facts.read_on()
        try:
            for position in self._journal():
                self._ahead.append(position)
                outcome = next(self._replay)  # one for each position: it never asks for more
                self._oracle.tally.counts.update(outcome.counts)
                yield outcome
        except ValueError as error:
            self._oracle.differences.add(str(error))
            return
        self._check_ends()
        self._check_changelog()

    def _context(self, position: Position) -> Context:
        return self._oracle.context(position, self._facts.at(position.facts))

    def _read_range(self, topic: str, _: int, start: int, end: int) -> Sequence[Raw]:
        found = self._reader.take(topic, start, end)
        self._oracle.tally.events += len(found)
        for one in found:
            self._oracle.on_event(one)
        return [one.raw() for one in found]

    def _journal(self) -> Iterator[Position]:
        """The new positions in order. Raises JournalError."""
        ends = dict(self._last.ends()) if self._last else {}
        for found in self._onward.partition(JOURNAL_TOPIC, self._partition):
            position = decode_position(found.value or b"")
            for topic, taken in position.ranges.items():
                if taken.start != ends.setdefault(topic, taken.start):
                    raise JournalError(
                        f"journal of partition {self._partition}: position {position.number} takes "
                        f"{topic} from {taken.start}, the one before it ended at {ends[topic]}"
                    )
                ends[topic] = taken.end
            self._last = position
            yield position

    def _check_ends(self) -> None:
        ends = self._last.ends() if self._last else {}
        for topic in INPUT_TOPICS:
            if left := self._reader.rest(topic, ends.get(topic, 0)):
                self._oracle.differences.add(
                    f"{topic}[{self._partition}]: {left} messages were not applied"
                )

    def _check_changelog(self) -> None:
        topic = changelog(self._oracle.settings.worker.app)
        for found in self._onward.partition(topic, self._partition):
            self._changelog[found.key] = found.value
        position = self._changelog.get(POSITION_KEY)
        add, records = self._oracle.differences.add, self._records
        if (decode_position(position) if position else None) != self._last:
            add(f"partition {self._partition}: the changelog's position is not the last")
        kept = {
            key.decode(): value
            for key, value in self._changelog.items()
            if key and value and key not in (POSITION_KEY, REACH_KEY)
        }
        for customer in sorted(kept.keys() | records.keys()):
            if kept.get(customer) != records.get(customer):
                add(f"record of {customer}: {_how(kept.get(customer), records.get(customer))}")


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
