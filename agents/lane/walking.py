"""A runner's way through its partition's customers, to tell each of broadcasts: a slice a chunk.

What a slice finds in the local store is whole only once everything that was made before the
broadcast began is in there: until then no slice is taken.
"""

from collections.abc import Callable

from agents.lane.store import Store
from schemas.events.campaign import CAMPAIGNS
from schemas.position import Position, Walk
from streams.broadcasts import WALK_SLICE, Round, begin, listens, round_of
from streams.context import Context

LOOK_S = 1.0
_FIRST = b"\x01"
"""Below it are the store's reserved keys."""
_END = b"\xff"
"""No text in UTF-8 has it."""


class Walking:
    """One runner's. `last_broadcast_of` a customer is that of the record as it is now."""

    def __init__(self, store: Store, last_broadcast_of: Callable[[str], int]) -> None:
        self._store = store
        self._last_broadcast_of = last_broadcast_of
        self._begun_in = 0
        """The number of the chunk that began a broadcast last."""

    def begun(self, before: Position, context: Context) -> Walk:
        """The walk as it goes on in the next chunk."""
        known = before.facts.get(CAMPAIGNS, 0)
        walk = begin(before.walk, before.partition_time, known, context)
        if walk is not before.walk:
            self._begun_in = before.number + 1
        return walk

    def until(self, before: Position, context: Context, stored: int) -> float | None:
        """Seconds until there is something to do, at most LOOK_S; None if that is the store's to
        say, or no rule listens."""
        if before.walk.queue:
            return 0 if self.can_go_on(before.walk, stored) else None
        if not listens(context):
            return None
        known = before.facts.get(CAMPAIGNS, 0)
        begins = begin(before.walk, before.partition_time, known, context) is not before.walk
        return 0 if begins else LOOK_S

    def can_go_on(self, walk: Walk, stored: int) -> bool:
        """Whether a slice can be taken; `stored` is the number of the last chunk in the store."""
        return bool(walk.queue) and stored >= self._begun_in - 1

    def round_of(self, walk: Walk, context: Context, stored: int) -> Round:
        """What the next chunk has to do with broadcasts, its slice included."""
        found = round_of(walk, context)
        if not self.can_go_on(walk, stored):
            return found
        visit, upto = self._slice(walk.after, found.first)
        return found._replace(visit=visit, upto=upto)

    def _slice(self, after: str, number: int) -> tuple[tuple[str, ...], str | None]:
        first = after.encode() + b"\x00" if after else _FIRST
        passed: list[str] = []
        for key in self._store.keys(first, _END):
            passed.append(key.decode())
            if len(passed) == WALK_SLICE:
                break
        visit = tuple(one for one in passed if self._last_broadcast_of(one) < number)
        return visit, passed[-1] if len(passed) == WALK_SLICE else None
