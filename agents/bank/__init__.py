"""The simulated bank: a seeded VIP population and what it does, as messages for Kafka."""
