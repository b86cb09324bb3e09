"""ClickHouse's HTTP interface on the local engine (sinks/local_clickhouse/README.md)."""
