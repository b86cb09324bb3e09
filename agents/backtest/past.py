"""One customer's past: what an archive has of it, and how far back that goes."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from agents.backtest.archived import Archived, ArchiveError, is_parquet, read_files
from agents.backtest.from_clickhouse import read_customer_stored
from agents.backtest.from_kafka import read_customer
from agents.backtest.taken import Taken, read_taken
from agents.clock import BankClock
from agents.core import core_settings
from agents.reading import ReadingError, beginning_of, read_partition
from config.settings import Settings
from schemas.events import INPUT_TOPICS
from streams.months import minute_at
from streams.partitioning import partition_of


class Past(NamedTuple):
    events: Iterable[Archived]
    """The customer's, perhaps others' too, and facts."""
    until: int = 0
    """It is whole up to here, epoch milliseconds; 0: up to its last event."""
    begins: Mapping[str, int] | None = None
    """Of topics that lost what came before: from when on they have everything. None: nobody says,
    it is taken to begin with its first event."""
    taken: Taken | None = None
    """In which order a worker took them; None: nobody says, they are in the order of times."""
    removed: str = ""
    """What it lost, for people."""
    is_stored: bool = False
    """It is out of ClickHouse, which does not keep what identifies a person."""


def of_files(files: Sequence[Path]) -> Past:
    return Past(read_files(files), is_stored=any(map(is_parquet, files)))


def of_clickhouse(settings: Settings, customer: str, now: int) -> Past:
    """What the sink stored. Raises ArchiveError."""
    begin, events = read_customer_stored(settings, customer)
    begins = dict.fromkeys(INPUT_TOPICS, begin)
    return Past(events, now, begins, is_stored=True)


def of_kafka(settings: Settings, customer: str, now: int) -> Past:
    """What the topics hold, in the order that the journal tells. Raises ArchiveError."""
    core = core_settings(settings)
    partition = partition_of(customer.encode(), core.partitions)
    try:
        begins = _begins(settings, partition, now)
        events = [*read_customer(settings, customer)]
        mine = [(one.topic, one.offset) for one in events if one.topic in INPUT_TOPICS]
        taken = read_taken(settings, core, partition, mine)
    except ReadingError as error:
        raise ArchiveError(str(error)) from error
    removed = ""
    if begins:
        at = minute_at(max(begins.values()), core.time_zone)
        removed = (
            f"Kafka has removed what came before {at} ({', '.join(begins)}): of "
            "windows, cooldowns and the record itself only what came since is known here "
            "(--source clickhouse goes further back)"
        )
    return Past(events, now, begins, taken, removed)


def _begins(settings: Settings, partition: int, now: int) -> dict[str, int]:
    clock, found = BankClock.from_settings(settings.clock), dict[str, int]()
    for topic in INPUT_TOPICS:
        if first := beginning_of(settings.kafka, topic, partition):
            oldest = next(read_partition(settings.kafka, topic, partition, first), None)
            found[topic] = now if oldest is None else clock.at(oldest.timestamp)
    return found
