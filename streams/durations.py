"""Durations as people write them, such as 30d, 12h or 5m, in milliseconds."""

import re

DAY_MS = 86_400_000

_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": DAY_MS, "w": 7 * DAY_MS}
_DURATION = re.compile(r"(\d{1,5})([smhdw])\Z")


def parse_duration(text: str) -> int:
    """Milliseconds of a duration. Raises ValueError for anything else."""
    match = _DURATION.match(text)
    if not match:
        raise ValueError(f"{text!r} is no duration: write a number and s, m, h, d or w, as in 30d")
    return int(match[1]) * _UNITS[match[2]]
