"""What a terminal may be shown, and in which language its reader reads."""

import os
import sys
from collections.abc import Mapping
from functools import cache

from rich.console import Console
from rich.text import Text

MAX_CELL = 200
_WIDE = 140
"""Columns where there is no terminal, and nobody says how many (COLUMNS)."""


def console() -> Console:
    """Standard output: as wide as the terminal, wider in a pipe or a file."""
    is_told = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if is_told else _WIDE)


def plain(text: str, most: int = MAX_CELL) -> Text:
    """What an event brought, without anything that a terminal would obey; cut after `most`."""
    return Text("".join(one if one.isprintable() else " " for one in text[:most]))


def in_language(text: Mapping[str, str]) -> str:
    """In the reader's language, as far as there is a translation."""
    return text.get(_language()) or text.get("en") or next(iter(text.values()), "")


@cache
def _language() -> str:
    """From the environment alone: the locale's data need not be installed to read a language."""
    named = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return next(filter(None, named), "en")[:2].lower()
