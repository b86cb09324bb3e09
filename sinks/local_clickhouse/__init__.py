"""A ClickHouse for one machine: chDB on loopback, native protocol and HTTP (README.md)."""

from sinks.local_clickhouse.errors import DirectoryTakenError, LocalClickHouseError, PortTakenError
from sinks.local_clickhouse.server import LocalClickHouse, serve
from sinks.local_clickhouse.user import User

__all__ = [
    "DirectoryTakenError",
    "LocalClickHouse",
    "LocalClickHouseError",
    "PortTakenError",
    "User",
    "serve",
]
