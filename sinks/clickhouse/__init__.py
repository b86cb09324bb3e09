"""From the topics into ClickHouse: what was read is inserted, then its offsets are committed."""
