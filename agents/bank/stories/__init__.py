"""What customers do: a story is a generator of steps, one event each."""
