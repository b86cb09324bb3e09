"""Ours beside the peers on one Apache Kafka: events a second, CPU, memory, changelog."""
