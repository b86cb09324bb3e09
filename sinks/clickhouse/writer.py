"""Rows into ClickHouse, column by column."""

import socket
from contextlib import suppress

from sinks.clickhouse.address import FAILURES, Address, connect
from sinks.clickhouse.errors import AwayError, away, of_insert
from sinks.clickhouse.migrate import missing
from sinks.clickhouse.rows import Rows
from sinks.clickhouse.tables import Table

SETTINGS = {
    # An event's time is the bank's: a batch of absurd ones must not be refused for their years.
    "max_partitions_per_insert_block": 0,
}


class Writer:
    """One connection, made at the first use and again after every failure. For one thread."""

    def __init__(self, address: Address) -> None:
        self._client = connect(address)

    def check(self) -> None:
        """Raises AwayError while a table is missing."""
        try:
            names = missing(self._client)
        except FAILURES as error:
            self._client.disconnect()
            raise away(error) from None
        if names:
            raise AwayError(f"migration {names[0]} is missing: run `vipcare migrate`", "tables")

    def insert(self, table: Table, rows: Rows, name: str | None = None) -> None:
        """All rows, into `name` if it is not the table itself.

        Raises AwayError, or RefusedError if it may be the rows; then some of them may be there,
        and the same rows may come again.
        """
        told = {
            column: values
            for column, values in zip(table.columns, rows.columns, strict=True)
            if values is not None
        }
        statement = table.insert(name, told)
        try:
            self._client.execute(statement, [*told.values()], columnar=True, settings=SETTINGS)
        except Exception as error:  # the driver raises whatever a value makes it raise
            self._client.disconnect()
            raise of_insert(error) from None

    def interrupt(self) -> None:
        """From another thread: what waits for ClickHouse waits no longer, and fails."""
        connection = self._client.connection
        with suppress(OSError, AttributeError):  # there may be no connection, or it just ended
            connection.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._client.disconnect()
