"""What a run did, read again from the topics, ClickHouse and the journal, and compared."""
