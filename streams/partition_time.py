"""A partition's time: up to where all its events are known, so that timers may fire.

It never goes back. An input that is caught up, with all that was fetched taken, is known up to the
bank clock at the fetch that said so, less the delay that events may take to arrive. One with
something left to take is known up to the event time of what comes next. The least of these counts;
an input that is behind with nothing fetched could hold anything, so the time stands still.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Source(NamedTuple):
    """One input topic of the partition. Times in epoch milliseconds of the bank clock."""

    head: int | None
    """The event time of the first message that waits to be taken; None if none does."""
    caught_up: int | None
    """When a fetch last reached the topic's end, recently; None if it is behind or unknown."""


def partition_time(before: int, sources: Iterable[Source], now: int, delay: int) -> int:
    """The partition's time now, not less than `before` and not after the bank clock `now`."""
    reached = now
    for source in sources:
        if source.head is not None:
            reached = min(reached, source.head)
        elif source.caught_up is not None:
            reached = min(reached, source.caught_up - delay)
        else:
            return before
    return max(before, reached)
