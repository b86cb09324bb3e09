"""The archive that the sink keeps in ClickHouse, for years where Kafka keeps days."""

from collections.abc import Iterator

from agents.backtest.archived import Archived, ArchiveError
from agents.clickhouse import clickhouse_address
from agents.clock import BankClock
from config.settings import Settings
from sinks.clickhouse.address import FAILURES, client_of
from sinks.clickhouse.archive import Stored, stored_events, stored_facts
from sinks.clickhouse.errors import explain


def read_clickhouse(settings: Settings) -> Iterator[Archived]:
    """Every fact and every event that is stored and PLAYABLE. Raises ArchiveError."""
    address = clickhouse_address(settings.clickhouse)
    clock = BankClock.from_settings(settings.clock)
    try:
        with client_of(address) as client:
            yield from (_archived(one, clock) for one in stored_facts(client))
            yield from (_archived(one, clock) for one in stored_events(client))
    except FAILURES as error:
        raise ArchiveError(
            f"ClickHouse at {address} cannot be read: {explain(error)} "
            "(VIPCARE_CLICKHOUSE__HOST and …__PORT say where it is)"
        ) from error


def _archived(one: Stored, clock: BankClock) -> Archived:
    sent = clock.at(one.received)
    return Archived(one.topic, one.offset, one.key.encode(), one.value, one.partition, sent)
