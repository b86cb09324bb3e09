"""SIGTERM while a process still imports its libraries: it has begun nothing, so it just ends."""

import os
import signal
from types import FrameType

SERVICES = frozenset(("worker", "sink"))
"""Commands that take a second to import, and then handle the signal themselves."""


def end_in_order_on_sigterm() -> None:
    """Until someone else takes the signal: exit status 0, and nothing to clean up."""
    signal.signal(signal.SIGTERM, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    os._exit(0)
