"""Rows into ClickHouse, column by column."""

from collections.abc import Sequence

from sinks.clickhouse.address import FAILURES, Address, connect, explain
from sinks.clickhouse.message import Row
from sinks.clickhouse.migrate import missing
from sinks.clickhouse.tables import Table

_SETTINGS = {
    # An event's time is the bank's: a batch of absurd ones must not be refused for their years.
    "max_partitions_per_insert_block": 0,
}


class AwayError(Exception):
    """ClickHouse does not answer or refuses: try again later. One line, no row's content."""


class Writer:
    """One connection, made at the first use and again after every failure."""

    def __init__(self, address: Address) -> None:
        self._client = connect(address)

    def check(self) -> None:
        """Raises AwayError while a table is missing."""
        try:
            names = missing(self._client)
        except FAILURES as error:
            raise self._away(error) from None
        if names:
            raise AwayError(f"migration {names[0]} is missing: run `vipcare migrate`")

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """All rows, or AwayError; then some may be there, and the same rows may come again."""
        # The driver scales decimals in the lists that it is given: each try needs lists of its own.
        columns = [list(column) for column in zip(*rows, strict=True)]
        try:
            self._client.execute(table.insert, columns, columnar=True, settings=_SETTINGS)
        except FAILURES as error:
            raise self._away(error) from None

    def close(self) -> None:
        self._client.disconnect()

    def _away(self, error: BaseException) -> AwayError:
        self._client.disconnect()
        return AwayError(explain(error))
