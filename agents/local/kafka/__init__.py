"""Apache Kafka on this machine: fetched by Maven, one node, for a laptop and for tests."""
