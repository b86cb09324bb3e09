"""What happens to an event: pure functions.

No I/O, no clock, no randomness; time is an argument.
"""
