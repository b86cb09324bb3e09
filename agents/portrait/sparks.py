"""Numbers at a glance: eight heights of blocks."""

from collections.abc import Sequence
from decimal import Decimal

_SPARKS = "▁▂▃▄▅▆▇█"


def sparks(values: Sequence[Decimal], most: Decimal) -> str:
    """A block for each value, the highest for `most`; a blank for what is not above 0."""
    return "".join(
        _SPARKS[int(min(value / most, Decimal(1)) * 7)] if value > 0 else " " for value in values
    )
