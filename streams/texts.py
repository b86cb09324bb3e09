"""Texts with placeholders, filled in."""

import re
from collections.abc import Mapping

PLACEHOLDER = re.compile(r"\{([\w.]+)\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """`{name}` is the value of that name; ? if there is none."""
    return PLACEHOLDER.sub(lambda name: values.get(name[1], "?"), text)
