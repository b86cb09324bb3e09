"""The places between the sink's steps at which a test may make it die (agents/fail_points.py)."""

from collections.abc import Callable
from typing import Literal

Point = Literal[
    "sink-taken",  # a batch is taken, the storing thread has not got it: 1 and 2 of sink.py
    "sink-inserted",  # in 2, on the storing thread: one table has its rows
    "sink-before-commit",  # 2 and 3: a batch is stored, its offsets are not committed
    "sink-committed",  # after 3
]
FailPoint = Callable[[Point], None]


def no_fail_point(_point: Point) -> None:
    """Outside tests."""
