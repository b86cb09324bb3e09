"""What flows and what is kept: events, effects, the customer record, rule definitions.

Nothing here does I/O, reads a clock or imports another package of ours.
"""
