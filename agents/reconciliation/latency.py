"""From an event produced to its effect: what Kafka's record timestamps tell.

Both ends are record timestamps in real time: the event's when its producer made it, the effect's
when the worker handed it to its producer. The transaction that shows it to readers commits a few
milliseconds later, which `vipcare_chunk_commit_seconds` of the worker's metrics measures.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from agents.clock import BankClock
from schemas.effects import Effect, Profile
from schemas.envelope import to_millis
from schemas.events import INPUT_TOPICS

LIVE_MS = 10_000
"""An event is live if it is produced within so long of its own time (real time)."""

Place = tuple[str, int, int]
"""Topic, partition, offset."""


class _Caused(NamedTuple):
    cause: Place
    caused_at: int
    sent: int


class Latency:
    """Collects effects, then the events that caused them."""

    def __init__(self, clock: BankClock) -> None:
        self._clock = clock
        self._caused: list[_Caused] = []
        self._produced: dict[Place, int] = {}

    def effect(self, effect: Effect, sent: int) -> None:
        """Take note of an effect; those of rules that wait tell nothing of how fast they are, nor
        do those of broadcasts."""
        cause = effect.data.cause
        if cause.topic not in INPUT_TOPICS:
            return
        if isinstance(effect, Profile):
            waited = effect.time != cause.time
        else:
            waited = effect.data.waited_until is not None
        if waited:
            return
        place = (cause.topic, cause.partition, cause.offset)
        self._caused.append(_Caused(place, to_millis(cause.time), sent))
        self._produced[place] = -1

    def event(self, place: Place, produced: int) -> None:
        if place in self._produced:
            self._produced[place] = produced

    def figures(self) -> dict[str, int | None]:
        """`p50` and `p99` in milliseconds, and of how many `effects`: those of live events.

        Live events that wait behind the history tell how long that was, not how fast effects
        are: the live ones count from when the last effect of the history was sent. `all_…` are
        the same of all effects, so they measure the backlog.
        """
        pairs = [
            (self._is_live(caused.caused_at, produced), produced, caused.sent)
            for caused in self._caused
            if (produced := self._produced[caused.cause]) >= 0
        ]
        first_live = min((produced for live, produced, _ in pairs if live), default=0)
        settled = max((sent for _, produced, sent in pairs if produced < first_live), default=0)
        live = [sent - produced for live, produced, sent in pairs if live and produced >= settled]
        every = _percentiles(sent - produced for _, produced, sent in pairs)
        return {**_percentiles(live), **{f"all_{name}": value for name, value in every.items()}}

    def _is_live(self, caused_at: int, produced: int) -> bool:
        behind = self._clock.at(produced) - caused_at
        return behind <= LIVE_MS * self._clock.rate


def _percentiles(values: Iterable[int]) -> dict[str, int | None]:
    ordered = sorted(values)
    return {
        "p50": percentile(ordered, 50),
        "p99": percentile(ordered, 99),
        "effects": len(ordered),
    }


def percentile(ordered: Sequence[int], percent: int) -> int | None:
    """The nearest rank: the smallest value that so many percent do not exceed; None of nothing."""
    if not ordered:
        return None
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
