"""What lies between the end of an archive and the cuts: Kafka has it, unless it was removed there.

The sink is behind at times, and a file was written some time ago.
"""

from collections.abc import Iterable, Iterator, Mapping

from agents.backtest.archived import Archived
from agents.backtest.from_kafka import archived
from agents.clock import BankClock
from agents.reading import ReadingError, beginning_of, read_partition
from agents.warming.cuts import Cut
from agents.warming.error import WarmingError
from agents.warming.history import History
from config.settings import Settings


def tail(
    settings: Settings, cuts: Mapping[int, Iterable[Cut]], history: History
) -> Iterator[Archived]:
    """Of an archive with offsets that `history` went through before this is asked for anything.

    Raises WarmingError.
    """
    if not history.has_offsets:
        return
    clock = BankClock.from_settings(settings.clock)
    try:
        for partition, some in cuts.items():
            ends: dict[str, int] = {}
            for cut in some:
                ends |= {
                    topic: max(start, ends.get(topic, 0)) for topic, start in cut.starts.items()
                }
            for topic, end in ends.items():
                yield from _between(settings, topic, partition, history, end, clock)
    except ReadingError as error:
        raise WarmingError(str(error)) from error


def _between(
    settings: Settings, topic: str, partition: int, history: History, end: int, clock: BankClock
) -> Iterator[Archived]:
    start = history.next(topic, partition)
    if start >= end:
        return
    first = beginning_of(settings.kafka, topic, partition)
    if 0 < start < first:
        raise WarmingError(
            f"the archive has {topic}[{partition}] up to offset {start - 1}, and Kafka has removed "
            f"what came behind it up to {first - 1}: take an archive that goes on longer"
        )
    for found in read_partition(settings.kafka, topic, partition, start):
        if found.offset >= end:
            return
        yield archived(found, clock)
