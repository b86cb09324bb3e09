"""Texts with placeholders, filled in."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

PLACEHOLDER = re.compile(r"\{([\w.]+)\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """`{name}` is the value of that name; ? if there is none."""
    parts = _parts(text)
    if len(parts) == 1:
        return text
    filled = [*parts]
    for place in range(1, len(parts), 2):
        filled[place] = values.get(parts[place], "?")
    return "".join(filled)


@lru_cache(maxsize=4_096)
def _parts(text: str) -> Sequence[str]:
    """What stands between placeholders, and at odd places their names: rules fill the same few
    texts again and again."""
    return PLACEHOLDER.split(text)
