"""How long to wait between tries: doubling up to a limit, the same every time."""

from collections.abc import Iterator

FIRST_S = 0.1


def delays(longest_s: float) -> Iterator[float]:
    """0.1, 0.2, 0.4 … seconds, then `longest_s` for ever.

    One sink writes to one ClickHouse, so there is no herd that jitter would have to scatter.
    """
    delay = min(FIRST_S, longest_s)
    while True:
        yield delay
        delay = min(delay * 2, longest_s)
