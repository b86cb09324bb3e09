"""As what a rule stood, one thing after the other: which version, and whether it ran."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from agents.clock import BankClock
from config.settings import Settings
from schemas.envelope import to_millis
from schemas.rules import RuleDefinition
from streams.rules.lifecycle import meant
from streams.rules.register import RuleBook


class Stretch(NamedTuple):
    since: int
    """Bank time, epoch milliseconds."""
    offset: int
    """The register says so up to here for the first time."""
    rule: RuleDefinition
    """As it ran then, or did not."""
    is_isolated: bool = False

    @property
    def runs(self) -> bool:
        return self.rule.status in ("live", "shadow")

    def is_of(self, rule: RuleDefinition) -> bool:
        """Whether this version of a rule ran then."""
        return self.runs and meant(self.rule) == meant(rule)

    @property
    def name(self) -> str:
        return f"{self.rule.id}@{self.rule.version}"

    @property
    def status(self) -> str:
        return "isolated" if self.is_isolated and self.runs else self.rule.status


class History:
    """Of one rule."""

    def __init__(self, stretches: Sequence[Stretch] = (), *, is_open: bool = False) -> None:
        """`is_open`: the rule may have stood as at first before that, too."""
        self.stretches = stretches
        self.is_open = is_open

    @classmethod
    def of(cls, settings: Settings, book: RuleBook | None, rule: str) -> "History":
        """As the register tells it; empty where there is none. Raises RegisterError."""
        standings = book.standings.get(rule, ()) if book is not None else ()
        if book is None or not standings:
            return cls()
        clock = BankClock.from_settings(settings.clock)
        stretches: list[Stretch] = []
        for one in standings:
            since = clock.at(to_millis(datetime.fromisoformat(one.at)))
            if stretches:  # whoever changes the register has a clock of his own
                since = max(since, stretches[-1].since)
            as_it_ran = book.stood_as(rule, one)
            stretches.append(Stretch(since, one.offset, as_it_ran, one.is_isolated))
        return cls(stretches, is_open=standings[0].is_first)

    def __getitem__(self, place: int) -> Stretch | None:
        """What stood after so many changes, if anything did."""
        if place == 0:
            return self.stretches[0] if self.is_open else None
        return self.stretches[place - 1]

    def place_at(self, time: int) -> int:
        """How many changes there were by a time, bank time in epoch milliseconds."""
        return bisect_right([one.since for one in self.stretches], time)

    def place_upto(self, offset: int) -> int:
        """How many changes there were up to an offset of the register."""
        return bisect_right([one.offset for one in self.stretches], offset)

    def told(self, place: int) -> str:
        """What it could do while it stood so, and how it stands now if otherwise, for people."""
        stood, now = self[place], self.stretches[-1]
        if stood is None:
            return "it was not in force then"
        if place == 0:
            return f"told as it stood when the register began: {stood.status}"
        then = _TOLD.get(stood.status, stood.status)
        if now.name != stood.name:
            return f"it was {then}; {now.name} has its place now"
        return f"it was {then}" + (
            f"; it is {now.status} now" if now.status != stood.status else ""
        )


_TOLD = {
    "live": "live then",
    "shadow": "a shadow then: what it would do was recorded, not done",
    "isolated": "isolated then, a shadow: what it would do was recorded, not done",
}
