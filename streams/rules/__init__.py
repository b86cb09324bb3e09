"""Rules: checked definitions, compiled and indexed by event type."""
