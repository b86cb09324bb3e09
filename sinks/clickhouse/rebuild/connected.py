"""A client for a rebuild, and what its failures are called."""

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from sinks.clickhouse.address import FAILURES, Address, client_of
from sinks.clickhouse.errors import AwayError, explain
from sinks.clickhouse.rebuild.errors import RebuildError


@contextmanager
def connected(address: Address) -> Iterator[Client]:
    """Failures in the block are RebuildErrors outside."""
    try:
        with client_of(address) as client:
            yield client
    except (*FAILURES, AwayError) as error:
        raise RebuildError(f"ClickHouse at {address}: {why(error)}") from error


def why(error: BaseException) -> str:
    """What ClickHouse says, in one line."""
    if isinstance(error, ServerException):
        text = " ".join(str(error.message).split("Stack trace:")[0].split())[:300]
        return f"it refuses: {text}"
    return str(error) if isinstance(error, AwayError) else explain(error)
