"""How far back the windows of a partition's records reach.

A window holds what happened since a rule that asks for it came into force, or since history was
filled into it. A rule is *warm* at a time if each of its windows reaches back as far as the rule
looks from there. Whoever is told of something by a rule that is not warm may know less than it
seems: an effect says so.

All windows of one state key begin with one chunk of the partition, so it is the partition that
knows, not each record. Its journal tells when this changes.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import NamedTuple

from msgspec.structs import replace

from schemas.envelope import to_millis
from schemas.filling import Fill
from schemas.position import NOT_YET, Since
from streams.durations import DAY_MS
from streams.months import moment

NEVER = 2**62
"""When a rule is warm of whose windows it is not known yet since when they are kept."""
_SHORTEST_MONTH = 28 * DAY_MS


class LookBack(NamedTuple):
    """How far a rule looks back into a window."""

    key: str
    """Of the window's state."""
    length: int
    """Milliseconds."""
    first_month: int | None = None
    """Instead of a length: the first month, counted from the event's own."""

    @property
    def back(self) -> int:
        """Not more than what is surely kept for it, milliseconds."""
        return self.length if self.first_month is None else -self.first_month * _SHORTEST_MONTH

    def warm_from(self, since: int, zone: tzinfo) -> int:
        """From when on it finds no time before `since`; epoch milliseconds."""
        if self.first_month is None:
            return since + self.length
        now = moment(since, zone)
        month = now.month + (now.since > 0) - self.first_month
        return to_millis(datetime(month // 12, month % 12 + 1, 1, tzinfo=zone))


class Reach:
    """Immutable; `advance` and `fill` give the next one."""

    def __init__(
        self, kept: Mapping[str, Since] | None, asked: Mapping[str, int] | None = None
    ) -> None:
        """`kept` is None where it is not known; `asked` is what the rules in force ask for."""
        self.kept: Mapping[str, Since] = {} if kept is None else kept
        self.asked = asked
        self._known = kept is not None
        self._waits = any(one.time == NOT_YET for one in self.kept.values())
        self.number = max((one.lack_before for one in self.kept.values()), default=0)
        """Of the last chunk that began a window which is still kept, or since which it is kept for
        longer."""

    def advance(self, asked: Mapping[str, int], time: int, number: int, edge: int) -> "Reach":
        """With the rules of a chunk: the keys that they ask for, and how far back.

        `time` is the partition's, `number` the chunk's; before `edge` no window keeps more than it
        is asked for. `kept` is the same object where nothing changes.
        """
        waits = self._waits and time != NOT_YET
        if asked is self.asked and not waits:
            return self
        if not self._known:
            return Reach({key: Since(0, back, 0) for key, back in asked.items()}, asked)
        kept = {key: self._since(key, back, time, number, edge) for key, back in asked.items()}
        return Reach(self.kept if kept == self.kept else kept, asked)

    def _since(self, key: str, back: int, time: int, number: int, edge: int) -> Since:
        before = self.kept.get(key)
        if before is None:
            return Since(time, back, number)
        if before.time == NOT_YET:
            before = replace(before, time=time)
        if back <= before.back:
            return before if back == before.back else replace(before, back=back)
        oldest = time - before.back
        if before.time == NOT_YET or oldest <= before.time:
            return replace(before, back=back)
        # What lies further back was dropped already.
        return Since(oldest, back, before.number, grown=number, upto=edge - before.back)

    def fill(self, number_of: Mapping[str, int], since: int) -> "Reach":
        """With windows that hold what happened from `since` on, those that the chunks of these
        numbers began."""
        kept = dict(self.kept)
        for key, number in number_of.items():
            if self.lacks(key, number):
                one = kept[key]
                time = since if one.time == NOT_YET else min(one.time, since)
                kept[key] = replace(one, time=time, filled=True)
        return Reach(self.kept if kept == self.kept else kept, self.asked)

    def after(self, fills: Iterable[Fill]) -> "Reach":
        """With what a chunk was told that all customers have."""
        reach = self
        for one in fills:
            reach = reach.fill(one.data.numbers, one.data.since)
        return reach

    def may_lack(self, key: str) -> bool:
        """Whether windows of a key can be filled yet."""
        found = self.kept.get(key)
        return found is not None and self.lacks(key, found.lack_before)

    def lacks(self, key: str, number: int) -> bool:
        """Whether windows of a key can be filled with what came before the chunk of a number."""
        found = self.kept.get(key)
        return found is not None and found.lack_before == number > 0 and not found.filled

    def began_after(self, key: str, number: int) -> bool:
        """Whether windows of a key begin with a later chunk than that of a number."""
        found = self.kept.get(key)
        return found is not None and found.number > number

    def grown_after(self, key: str, number: int) -> int | None:
        """If windows of a key are kept for longer since a later chunk than that of a number: up to
        when they lack what came before."""
        found = self.kept.get(key)
        return found.upto if found is not None and found.grown > number else None

    def warm_from(self, looks: Iterable[LookBack], zone: tzinfo) -> int:
        """From when on a rule that looks back so is warm, epoch milliseconds; 0: it always was."""
        times = [0]
        for look in looks:
            if (found := self.kept.get(look.key)) is not None and found.time:
                since = found.time
                times.append(NEVER if since == NOT_YET else look.warm_from(since, zone))
        return max(times)


WHOLE = Reach({})
"""Of windows that hold whatever they can."""
