"""Everything in a record is bounded; what falls off is counted."""

from collections.abc import Callable
from typing import Any, TypeVar

from schemas.profile import ProfileSection

T = TypeVar("T")


def count_dropped(profile: ProfileSection, what: str) -> None:
    profile.dropped[what] = profile.dropped.get(what, 0) + 1


def make_room(
    profile: ProfileSection, what: str, entries: dict[str, T], limit: int, age: Callable[[T], Any]
) -> None:
    """Before a new key is added: while the dict is full, drop the entry with the least `age`."""
    while len(entries) >= limit:
        del entries[min(entries, key=lambda name: (age(entries[name]), name))]
        count_dropped(profile, what)


def count_in(counts: dict[str, int], name: str, limit: int) -> None:
    """Count a name; names beyond the limit are counted together as `other`."""
    known = name in counts or len(counts) < limit
    key = name if known else "other"
    counts[key] = counts.get(key, 0) + 1
