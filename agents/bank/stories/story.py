"""The form of a story: steps that follow each other after a while."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from agents.bank.calendar import date_of, day_number, office_opens
from agents.bank.population import Customer
from streams.durations import DAY_MS

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


class Step(NamedTuple):
    """One event of a story."""

    wait: int
    """How long after the step before, bank milliseconds."""
    type: str
    data: dict[str, Any]


OFFICE_EVENTS = frozenset(
    (
        "branch.visited", "contact.made", "outcome.recorded", "rm.contacted", "task.accepted",
        "task.completed", "task.declined", "task.started",
    )
)  # fmt: skip
"""What happens where the bank's people are."""
Story = Callable[[Random, Customer, int], Iterator[Step]]
"""Of a customer, from a bank time on. It draws its chances when each step is asked for."""


class Likely(NamedTuple):
    """How often a story begins, compared with the others."""

    story: Story
    on_workdays: float
    on_days_off: float
    on_journeys: float
    """Abroad, whatever the day."""
    office: bool = False
    """Only while the bank's offices are open."""


Repertoire = tuple[Likely, ...]


def day(at: int, days: int = 0) -> str:
    """The calendar day at a bank time, or so many days later, as YYYY-MM-DD."""
    return date_of(day_number(at) + days).isoformat()


def minutes(rng: Random, low: float, high: float) -> int:
    return round(rng.uniform(low, high) * MINUTE_MS)


def days(rng: Random, low: float, high: float) -> int:
    return round(rng.uniform(low, high) * DAY_MS)


def at_work(rng: Random, at: int, wait: int) -> int:
    """A wait from a bank time on, or a longer one until the bank's people are at work again."""
    opens = office_opens(at + wait)
    return opens - at + (minutes(rng, 0, 120) if opens > at + wait else 0)


def around(rng: Random, usual: float) -> float:
    """An ordinary amount: near the usual one, sometimes twice it, never beyond 2.2 times."""
    return usual * min(max(rng.lognormvariate(-0.1, 0.4), 0.3), 2.2)
