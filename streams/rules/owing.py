"""What windows that may be filled yet are owed: corrections of what came before they began."""

from collections.abc import Iterable

from schemas.activity import ActivitySection, Owed
from schemas.packed import pack
from streams.reach import Reach

OWED_BYTES = 4 * 1024
"""So much is noted; of more the oldest give way, and what is filled then lacks a correction."""


def owe(activity: ActivitySection, missed: Iterable[Owed], reach: Reach) -> None:
    """Note what was not there to be corrected, of what can be filled yet."""
    new = [one for one in missed if reach.may_lack(one.key)]
    if new:
        owed = [*activity.owed, *new]
        while len(pack(owed)) > OWED_BYTES:
            activity.dropped["owed"] = activity.dropped.get("owed", 0) + 1
            del owed[0]
        activity.owed = owed
