"""The places between the sink's steps at which a test may make it die (agents/fail_points.py)."""

from collections.abc import Callable
from typing import Literal

Point = Literal[
    "sink-taken",  # between steps 1 and 2 of sinks/clickhouse/sink.py
    "sink-inserted",  # in 2: one table has its rows
    "sink-before-commit",  # 2 and 3
    "sink-committed",  # after 3
]
FailPoint = Callable[[Point], None]


def no_fail_point(_point: Point) -> None:
    """Outside tests."""
