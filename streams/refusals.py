"""Whether most of a topic is refused: then the worker stops, before a schema accident has emptied
the topic into the dead letters.

Every topic of a partition has a window: its last events, and which of them were refused. It is part
of the position, so that it goes on where it was after a restart or at another worker: what a chunk
may commit does not depend on where chunks end, nor on how often a supervisor starts the worker
again. A chunk in which a topic exceeds the limit is not committed at all.

What empties no topic does not count, neither as a good event nor as a refused one: replayed events,
which are dead letters already, and events of unknown types, which are skipped. Otherwise the types
that a bank sends for others would hide that all of those known here are refused.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from msgspec import Struct

from schemas.dead_letters import DeadLetter, Reason
from schemas.position import Refusals
from streams.intake import Entry


class Limit(Struct, frozen=True):
    """A refused event exceeds it if it is one of at least `minimum` among the last `window` events
    of its topic, and these are at least `share` of them (of fewer, while there were fewer)."""

    window: int = 1_000
    share: float = 0.5
    minimum: int = 50
    accepted: frozenset[str] = frozenset()
    """Topics that may be refused whole; what was refused of them is forgotten."""


class Excess(Struct, frozen=True):
    """A topic that exceeds the limit, at the first event that does."""

    topic: str
    partition: int
    refused: int
    """Among the last `events`, this chunk's included."""
    events: int
    reasons: Counter[Reason]
    """Why, of those in this chunk."""
    first: DeadLetter
    """The first of this chunk: those before it are dead letters already."""

    @property
    def buried(self) -> int:
        """How many of the refused ones became dead letters with earlier chunks."""
        return self.refused - self.reasons.total()


def judge(
    before: Mapping[str, Refusals],
    entries: Sequence[Entry],
    letters: Sequence[DeadLetter],
    limit: Limit,
) -> tuple[dict[str, Refusals], Excess | None]:
    """The windows after a chunk, and the topic that exceeds the limit in it, if one does.

    `entries` and `letters` are the chunk's, each topic's in the order of its offsets.
    """
    judged = [entry for entry in entries if not entry.unknown and entry.raw.first is None]
    refused: dict[str, list[DeadLetter]] = {}
    for letter in letters:
        if not letter.first:
            refused.setdefault(letter.topic, []).append(letter)
    after = {topic: seen for topic, seen in before.items() if topic not in limit.accepted}
    for topic, count in Counter([entry.raw.topic for entry in judged]).items():
        if topic in limit.accepted:
            continue
        seen, mine = after.get(topic, Refusals()), refused.get(topic)
        if not mine:
            after[topic] = _pass(seen, count, limit.window)
            continue
        gaps = _gaps(topic, judged, mine)
        after[topic], excess = _take(seen, gaps, mine, limit)
        if excess is not None:
            return after, excess
    return after, None


def _pass(seen: Refusals, count: int, window: int) -> Refusals:
    """So many events after which none was refused."""
    if seen.events >= window and not seen.bits:
        return seen  # nearly always
    bits = _shift(int(seen.bits or "0", 16), count, window)
    return Refusals(min(seen.events + count, window), _text(bits))


def _gaps(topic: str, entries: Iterable[Entry], letters: Sequence[DeadLetter]) -> list[int]:
    """How many events were not refused before each refused one, and after the last."""
    offsets = {letter.offset for letter in letters}
    mine = (entry.raw.offset in offsets for entry in entries if entry.raw.topic == topic)
    gaps = [0]
    for is_refused, run in groupby(mine):
        length = sum(1 for _ in run)
        if is_refused:
            gaps += [0] * length
        else:
            gaps[-1] += length
    return gaps


def _take(
    seen: Refusals, gaps: Sequence[int], letters: Sequence[DeadLetter], limit: Limit
) -> tuple[Refusals, Excess | None]:
    window, bits, events = limit.window, int(seen.bits or "0", 16), seen.events
    for number, gap in enumerate(gaps[:-1]):
        bits = _shift(bits, gap + 1, window) | 1
        events = min(events + gap + 1, window)
        refused = bits.bit_count()
        if refused >= limit.minimum and refused >= limit.share * events:
            mine = letters[: number + 1]
            first = mine[0]
            reasons = Counter(letter.reason for letter in mine)
            return seen, Excess(first.topic, first.partition, refused, events, reasons, first)
    after = Refusals(min(events + gaps[-1], window), _text(_shift(bits, gaps[-1], window)))
    return after, None


def _shift(bits: int, count: int, window: int) -> int:
    return 0 if count >= window else (bits << count) & ((1 << window) - 1)


def _text(bits: int) -> str:
    return f"{bits:x}" if bits else ""
