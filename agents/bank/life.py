"""What changes in a life: a turn that begins on a day and takes four months, and journeys."""

from random import Random
from typing import NamedTuple

from agents.bank.calendar import HOLIDAYS, date_of, season_of
from agents.bank.merchants import STEPS, TURNS
from agents.bank.money import ABROAD

_TURN_DAYS = 120
_ONE_IN = 128
_TRAVELLERS = {"new year": 30, "labour day": 14, "summer": 40, "national day": 32, "christmas": 16}
"""So many of 128 customers are abroad for a part of each."""
_BUSINESS = 4
"""So many of 128 are abroad on business in any week."""


class Turn(NamedTuple):
    """What somebody's life turns to."""

    kind: str
    """A key of merchants.TURNS, or empty."""
    day: int
    """The day on which it begins, a number, see calendar.py."""

    def steps(self, day: int) -> int:
        """How far it has come: 0 to STEPS."""
        return min(max((day - self.day) * STEPS // _TURN_DAYS, 0), STEPS)


NO_TURN = Turn("", 0)


def turn_of(rng: Random, age: int, child_ages: tuple[int, ...], today: int) -> Turn:
    """The turn that somebody of that age takes around today, if any."""
    day = today + rng.randint(-200, 60)
    kind = rng.choice(("new home", "golf", "", "", ""))
    if any(15 <= child <= 18 for child in child_ages):
        kind = "studies"
    elif age < 40 and rng.random() < 0.4:
        kind = "baby"
    elif age >= 60 and rng.random() < 0.4:
        kind = "retirement"
    assert not kind or kind in TURNS
    return Turn(kind, day) if kind else NO_TURN


def abroad_on(rank: int, usual: str, day: int) -> str | None:
    """The country in which the customer with a rank is on a day; None: at home.

    Most go where they have to do with anyway.
    """
    season = season_of(day)
    if season in HOLIDAYS:
        year = date_of(day).year
        lot = _lot(rank, year * 16 + HOLIDAYS.index(season))
        goes = lot % _ONE_IN < _TRAVELLERS[season]
        # A summer is long: each has two weeks of it.
        if goes and (season != "summer" or day // 14 % 3 == lot // _ONE_IN % 3):
            return usual if lot // 512 % 2 else ABROAD[lot // 1_024 % len(ABROAD)]
        return None
    lot = _lot(rank, day // 7 + 100_000)
    return usual if lot % _ONE_IN < _BUSINESS else None


def _lot(rank: int, occasion: int) -> int:
    """A number that a customer draws for an occasion, always the same."""
    mixed = (rank * 2_654_435_761 + occasion * 40_503 + 12_345) & 0xFFFFFFFF
    mixed ^= mixed >> 15
    mixed = mixed * 2_246_822_519 & 0xFFFFFFFF
    return mixed ^ mixed >> 13
