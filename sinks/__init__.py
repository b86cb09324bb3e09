"""Where results go: ClickHouse, and the local ClickHouse for a fresh machine."""
