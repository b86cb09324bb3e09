"""Faults end the process: one clear line, then the exit status that names the kind.

Whoever supervises starts the process again. Nothing is cleaned up: what was not committed never
happened, and a successor's `init_transactions` aborts what is open.
"""

import os
import sys
import traceback
from enum import IntEnum
from typing import NoReturn

import structlog


class Fault(IntEnum):
    """The closed list of a worker's exit statuses, besides 0 (stopped) and 2 (refused to start)."""

    FENCED = 10
    """Another process took this partition over; this one must not write any more."""
    KAFKA = 11
    """Kafka refused for good: a fatal producer error, or a message it will not take."""
    STORE = 12
    """The local store could not be opened, read or written (a full disk, a shared folder)."""
    STEP = 13
    """The core raised where it must not: a fault of ours."""
    POSITION = 14
    """A topic and the position disagree: made anew, or the log does not hold the position."""
    CRASHED = 15
    """Faust, or a task of the lane, ended with an error."""
    STALLED = 16
    """Nothing got on for long although Kafka answers: see agents/health.py."""
    REFUSING = 17
    """Most of a topic is refused: going on would empty it into the dead letters."""


def kind_of(error: BaseException) -> str:
    """An error's type and where it was raised: its text may quote an event."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def die(fault: Fault, message: str, **facts: str) -> NoReturn:
    """End the process now. `message` says what, where and what to do, and holds no event data; so
    do the `facts`, fields of their own in the log."""
    structlog.get_logger().critical("fault", fault=fault.name.lower(), message=message, **facts)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(fault)
