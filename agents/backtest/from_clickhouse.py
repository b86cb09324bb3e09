"""The archive that the sink keeps in ClickHouse, for years where Kafka keeps days."""

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_driver import Client

from agents.backtest.archived import Archived, ArchiveError
from agents.clickhouse import clickhouse_address
from agents.clock import BankClock
from config.settings import Settings
from sinks.clickhouse.address import FAILURES, client_of
from sinks.clickhouse.archive import Stored, oldest_event, stored_events, stored_facts
from sinks.clickhouse.errors import explain


def read_clickhouse(settings: Settings) -> Iterator[Archived]:
    """Every fact and every event that is stored and PLAYABLE. Raises ArchiveError."""
    clock = BankClock.from_settings(settings.clock)
    with _client(settings) as client:
        yield from (_archived(one, clock) for one in stored_facts(client))
        yield from (_archived(one, clock) for one in stored_events(client))


def read_customer_stored(settings: Settings, customer: str) -> tuple[int, list[Archived]]:
    """The time of the oldest event of all (epoch milliseconds), and every fact and the events of
    one customer. Raises ArchiveError."""
    clock = BankClock.from_settings(settings.clock)
    with _client(settings) as client:
        stored = [*stored_facts(client), *stored_events(client, customer)]
        return oldest_event(client), [_archived(one, clock) for one in stored]


@contextmanager
def _client(settings: Settings) -> Iterator[Client]:
    address = clickhouse_address(settings.clickhouse)
    try:
        with client_of(address) as client:
            yield client
    except FAILURES as error:
        raise ArchiveError(
            f"ClickHouse at {address} cannot be read: {explain(error)} "
            "(VIPCARE_CLICKHOUSE__HOST and …__PORT say where it is)"
        ) from error


def _archived(one: Stored, clock: BankClock) -> Archived:
    sent = clock.at(one.received)
    return Archived(one.topic, one.offset, one.key.encode(), one.value, one.partition, sent)
