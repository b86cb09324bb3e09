"""Kill tests: whatever dies, an event counts once. `python -m tests.kill`, or `make kill`."""
