"""Each customer's share: what the windows would hold, had their rules been there before the cut."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agents.backtest.archived import UNKNOWN, Archived
from agents.backtest.spill import Share
from agents.warming.cuts import Cut
from schemas.events import INTERNAL
from schemas.filling import Fill, encode_fill
from schemas.rules import RuleDefinition
from streams.backtest.facts import FactsInTime
from streams.backtest.play import Trial, in_order, play
from streams.context import CoreSettings
from streams.filling import share_of, states_of
from streams.inputs import Raw
from streams.intake import read
from streams.partitioning import partition_of


@dataclass(frozen=True)
class Job:
    """What a process needs to know."""

    rules: Sequence[RuleDefinition]
    """Those in force that keep one of the windows."""
    core: CoreSettings
    facts: Sequence[tuple[int, Raw]]
    numbers: Mapping[int, Mapping[str, int]]
    """Partition → the keys of states → the numbers of the chunks that began them."""
    cuts: Mapping[int, Mapping[int, Cut]]
    """Partition → those, by number."""
    since: int
    """From when on the archive is whole, epoch milliseconds."""
    now: int
    """The bank clock."""
    until: int
    """No event behind the cuts is later, epoch milliseconds."""
    has_offsets: bool
    """What stood in `vip.internal` is there as it was sent."""


class Maker:
    """A job with its rules compiled: what a process has for itself."""

    def __init__(self, job: Job) -> None:
        core = job.core
        self._job = job
        self._trial = Trial(core.compiled(job.rules), core, FactsInTime(job.facts), job.until)

    def fill(self, share: Share) -> Iterator[tuple[bytes, bytes]]:
        """Keys and messages, of those of its customers that have something."""
        for key, archived in share.take():
            partition = partition_of(key, self._job.core.partitions)
            made = self._fill(key, archived, partition)
            if made is not None:
                yield key, encode_fill(made)

    def _fill(self, key: bytes, archived: Sequence[Archived], partition: int) -> Fill | None:
        job = self._job
        customer, numbers = key.decode(errors="replace"), job.numbers.get(partition, {})
        states: dict[str, bytes] = {}
        told = [one for one in archived if self._is_told(one)]
        for number in sorted({*numbers.values()}):
            cut, core = job.cuts[partition][number], job.core
            before = [read(one.raw(partition), core) for one in told if cut.lies_behind(one)]
            history = play(customer, in_order(before), self._trial).record
            states |= states_of(history, (name for name, one in numbers.items() if one == number))
        return share_of(customer, numbers, job.since, job.now, states) if states else None

    def _is_told(self, one: Archived) -> bool:
        """Not what was made of a relation here, where the one that was sent is there as well."""
        return not (self._job.has_offsets and one.topic == INTERNAL and one.partition == UNKNOWN)
