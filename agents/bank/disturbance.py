"""What goes wrong with the bank's messages, in the shares that the plan asks for.

A duplicate is the same message again, a little later. A mishap makes a bad message beside a good
one; a mis-keyed message is a good one under another's key. Which events come late is asked for
before they are told (`lateness`), because a late event is dated earlier than it arrives.
"""

from collections.abc import Iterator
from itertools import cycle
from random import Random

from msgspec.structs import replace

from agents.bank.message import Message
from agents.bank.mishaps import MISHAPS, Envelope, Mishap, key_of_another
from agents.bank.plan import Plan
from agents.bank.shares import Share
from agents.bank.stories.story import HOUR_MS

_HOURS = (2, 5, 12, 30, 70, 120, 24 * 40)
"""How late events come, about: hours, days, and rarely more than a month."""
_LEAST_LATE_MS = HOUR_MS


class Disturbance:
    """Counts what is told, and says what goes wrong with it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        rng = self._rng = Random(f"{plan.seed}/disturbance")  # noqa: S311  # reproducible
        self._duplicates = Share(plan.duplicates, rng.random())
        self._broken = Share(plan.broken, rng.random())
        self._mis_keyed = Share(plan.mis_keyed, rng.random())
        self._late = Share(plan.late, rng.random())
        self._mishaps: Iterator[Mishap] = cycle(MISHAPS)

    def of(self, event: Envelope, said: Message) -> Iterator[Message]:
        """The bad messages that an event brings with it, each with its time of arrival."""
        for share in (self._duplicates, self._broken, self._mis_keyed, self._late):
            share.count()
        if self._duplicates.pick():
            yield replace(said, at=said.at + self._soon(said.at))
        if self._broken.pick():
            yield next(self._mishaps)(self._rng, event, said.at)
        if self._mis_keyed.pick():
            yield key_of_another(self._rng, event, said.at)

    def lateness(self, at: int) -> int:
        """How late the event that is about to be told comes, milliseconds; mostly 0.

        Nobody is late by more than the time for which the bank is known.
        """
        known_for = at - self._plan.start
        if known_for < 2 * _LEAST_LATE_MS or not self._late.pick():
            return 0
        late = round(self._rng.choice(_HOURS) * HOUR_MS * self._rng.uniform(0.6, 1.2))
        return min(late, known_for)

    def _soon(self, at: int) -> int:
        real = self._rng.uniform(0.1, 3)
        live = at >= self._plan.origin
        return round(real * 1_000 * self._plan.pace if live else real * HOUR_MS)
