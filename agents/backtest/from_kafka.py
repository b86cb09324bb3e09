"""Archives in Kafka: every topic that a worker reads, as long as Kafka keeps it."""

from collections.abc import Iterator

from agents.backtest.archived import Archived, ArchiveError
from agents.clock import BankClock
from agents.reading import Found, ReadingError, read_partition, read_topic
from config.settings import Settings
from schemas.events import INPUT_TOPICS
from schemas.events.reference import GLOBAL_TOPICS
from streams.partitioning import partition_of


def read_kafka(settings: Settings) -> Iterator[Archived]:
    """Every message of the keyed inputs and of the global topics. Raises ArchiveError."""
    clock = BankClock.from_settings(settings.clock)
    try:
        for topic in (*GLOBAL_TOPICS, *INPUT_TOPICS):
            for found in read_topic(settings.kafka, topic):
                yield archived(found, clock)
    except ReadingError as error:
        raise ArchiveError(str(error)) from error


def read_customer(settings: Settings, customer: str) -> Iterator[Archived]:
    """One customer's messages, and those of the global topics. Raises ArchiveError."""
    key = customer.encode()
    partition = partition_of(key, settings.topics.partitions)
    clock = BankClock.from_settings(settings.clock)
    try:
        for topic in GLOBAL_TOPICS:
            yield from (archived(found, clock) for found in read_topic(settings.kafka, topic))
        for topic in INPUT_TOPICS:
            for found in read_partition(settings.kafka, topic, partition):
                if found.key == key:
                    yield archived(found, clock)
    except ReadingError as error:
        raise ArchiveError(str(error)) from error


def archived(found: Found, clock: BankClock) -> Archived:
    """A message as it stands in its topic."""
    sent = clock.at(found.timestamp)
    return Archived(found.topic, found.offset, found.key or b"", found.value, found.partition, sent)
