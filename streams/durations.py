"""Durations as people write them, such as 30d, 12h or 5m, in milliseconds."""

import re
from functools import lru_cache

from schemas.rule_parts import UNIT_SECONDS

DAY_MS = 86_400_000

_DURATION = re.compile(r"([0-9]{1,5})([smhdw])\Z")


@lru_cache(maxsize=1_024)
def parse_duration(text: str) -> int:
    """Milliseconds of a duration. Raises ValueError for anything else."""
    match = _DURATION.match(text)
    if not match:
        raise ValueError(f"{text!r} is no duration: write a number and s, m, h, d or w, as in 30d")
    return int(match[1]) * UNIT_SECONDS[match[2]] * 1_000
