"""Texts with placeholders, filled in."""

import re
from collections.abc import Mapping

_NAME = re.compile(r"\{([\w.]+)\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """`{name}` is the value of that name; ? if there is none."""
    return _NAME.sub(lambda name: values.get(name[1], "?"), text)
