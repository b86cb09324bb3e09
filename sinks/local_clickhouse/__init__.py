"""A ClickHouse for one machine: chDB served on loopback over the native protocol (README.md)."""

from sinks.local_clickhouse.errors import DirectoryTakenError, LocalClickHouseError, PortTakenError
from sinks.local_clickhouse.server import LocalClickHouse, serve

__all__ = [
    "DirectoryTakenError",
    "LocalClickHouse",
    "LocalClickHouseError",
    "PortTakenError",
    "serve",
]
