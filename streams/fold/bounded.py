"""Everything in a record is bounded; what falls off is counted.

What falls off is chosen among what is there: things by the time of the last word on them, counters
by name. What that makes of the order in which events come: streams/README.md.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, TypeVar

T = TypeVar("T")

KEPT_BYTES = 64
"""Of a name that is kept, in UTF-8."""
ID_BYTES = 128
"""An id of more bytes, which only letters outside ASCII can make, is kept as a hash of it."""
OTHER = "other"


def count_dropped(dropped: dict[str, int], what: str, times: int = 1) -> None:
    dropped[what] = dropped.get(what, 0) + times


def trim(
    dropped: dict[str, int],
    what: str,
    entries: dict[str, T],
    limit: int,
    rank: Callable[[T], Any],
) -> None:
    """After a key was added: while there are too many, drop the least by `rank`, then by name."""
    while len(entries) > limit:
        del entries[min(entries, key=lambda name: (rank(entries[name]), name))]
        count_dropped(dropped, what)


def gather(
    entries: dict[str, T], name: str, limit: int, new: Callable[[], T], merge: Callable[[T, T], T]
) -> None:
    """After a name was counted: while there are too many, the last by name is merged into `other`.

    Which names have a counter of their own does not depend on the order in which they came: one
    that lost it is behind `limit` others, and stays there.
    """
    if name == OTHER:
        return
    while len(entries) - (OTHER in entries) > limit:
        last = max(one for one in entries if one != OTHER)
        entries[OTHER] = merge(entries.get(OTHER) or new(), entries.pop(last))


def count_in(counts: dict[str, int], name: str, limit: int) -> None:
    """Count a name; those beyond the limit are counted together as `other`."""
    count = counts.get(name)
    if count is not None:  # nearly always
        counts[name] = count + 1
        return
    name = cut(name)
    counts[name] = counts.get(name, 0) + 1
    gather(counts, name, limit, int, int.__add__)


def cut(text: str, limit: int = KEPT_BYTES) -> str:
    """The beginning of a text, at most so many bytes in UTF-8."""
    if len(text) * 4 <= limit or (len(text) <= limit and text.isascii()):
        return text
    return text.encode()[:limit].decode(errors="ignore")


def key_of(name: str) -> str:
    """The key under which an id is kept: the id itself, but for a very long one."""
    if len(name) * 4 <= ID_BYTES or name.isascii():
        return name
    encoded = name.encode()
    if len(encoded) <= ID_BYTES:
        return name
    return "#" + blake2b(encoded, digest_size=16).hexdigest()
