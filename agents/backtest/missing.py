"""What a journal names and Kafka has removed: without it a run cannot be made again as it was."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agents.reading import Offsets, held, partitions_of
from config.wires import KafkaSettings
from schemas.events.campaign import CAMPAIGNS
from schemas.position import JOURNAL_TOPIC, Position


class Journalled(NamedTuple):
    """What one partition's journal says it took."""

    partition: int
    clock: int
    """The bank's at its last chunk, epoch milliseconds."""
    taken: Mapping[str, Offsets]
    """Of each input topic."""
    campaigns: Offsets
    """Those that were announced meanwhile."""

    @property
    def messages(self) -> int:
        return sum(one.end - one.start for one in self.taken.values())


def journalled(positions: Sequence[Position]) -> Journalled:
    """Of all that a partition's journal has, which is something. Its ranges follow each other."""
    first, last = positions[0], positions[-1]
    starts: dict[str, int] = {}
    for one in positions:
        for topic, taken in one.ranges.items():
            starts.setdefault(topic, taken.start)
    return Journalled(
        last.partition,
        last.now,
        {topic: Offsets(starts[topic], end) for topic, end in last.ends().items()},
        Offsets(first.facts.get(CAMPAIGNS, 0), last.facts.get(CAMPAIGNS, 0)),
    )


def missing(kafka: KafkaSettings, journals: Sequence[Journalled]) -> dict[str, int]:
    """Topic → how many offsets are gone of what was taken, and of the journal itself; markers of
    transactions are among them. Raises ReadingError."""
    asked = {(topic, one.partition): took for one in journals for topic, took in one.taken.items()}
    asked[CAMPAIGNS, 0] = Offsets(
        min(one.campaigns.start for one in journals), max(one.campaigns.end for one in journals)
    )
    journal = [
        (JOURNAL_TOPIC, partition) for partition in range(partitions_of(kafka, JOURNAL_TOPIC))
    ]
    there = held(kafka, [*asked, *journal])
    found = Counter({JOURNAL_TOPIC: sum(there[one].start for one in journal)})
    for place, took in asked.items():
        found[place[0]] += took.lacking(there[place])
    return {topic: count for topic, count in sorted(found.items()) if count}
