"""Archives in Kafka: every topic that a worker reads, as long as Kafka keeps it."""

from collections.abc import Iterator

from agents.backtest.archived import Archived, ArchiveError
from agents.clock import BankClock
from agents.reading import ReadingError, read_topic
from config.settings import Settings
from schemas.events import INPUT_TOPICS
from schemas.events.reference import GLOBAL_TOPICS


def read_kafka(settings: Settings) -> Iterator[Archived]:
    """Every message of the keyed inputs and of the global topics. Raises ArchiveError."""
    clock = BankClock.from_settings(settings.clock)
    try:
        for topic in (*GLOBAL_TOPICS, *INPUT_TOPICS):
            for found in read_topic(settings.kafka, topic):
                yield Archived(
                    topic,
                    found.offset,
                    found.key or b"",
                    found.value,
                    found.partition,
                    clock.at(found.timestamp),
                )
    except ReadingError as error:
        raise ArchiveError(str(error)) from error
