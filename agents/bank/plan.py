"""What the simulated bank's bytes depend on: all of it, and nothing else."""

import hashlib
from dataclasses import dataclass

from agents.bank.money import BASE
from agents.bank.storyline import Storyline
from agents.bank.storyline_file import read_storylines
from config.settings import Settings
from streams.durations import DAY_MS


class PlanError(Exception):
    """What the simulated bank cannot do; says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Two plans that are equal give the same bytes."""

    origin: int
    """When history ends and the bank goes live, epoch milliseconds."""
    seed: int
    customers: int
    history_days: int
    rate: float
    """Live messages in a real second."""
    pace: float
    """Bank seconds in a real second."""
    duplicates: float
    late: float
    broken: float
    mis_keyed: float = 0.0
    """These four are shares of the events, see BankSettings."""
    skew: float = 1.0
    """The exponent of Zipf's law: 0 is all customers alike."""
    storylines: tuple[Storyline, ...] | None = None
    """None: those that are shipped."""

    @property
    def start(self) -> int:
        return self.origin - self.history_days * DAY_MS

    def run(self) -> str:
        """Names the plan within event ids, so that two plans' events never have the same."""
        return hashlib.blake2b(repr(self).encode(), digest_size=5).hexdigest()


def plan_of(settings: Settings, origin: int) -> Plan:
    """What the bank does by the settings, from an origin on (epoch milliseconds).

    Raises PlanError, StorylineErrors.
    """
    if (base := settings.step.base_currency) != BASE:
        raise PlanError(
            f"the simulated bank reckons in {BASE}, and step.base_currency is {base}: leave that "
            f"at {BASE} to play with it, or send your own events (vipcare up --no-bank)"
        )
    chosen = settings.bank.model_dump()
    path = chosen.pop("storylines")
    storylines = None if path is None else read_storylines(path)
    return Plan(origin=origin, pace=settings.clock.rate, storylines=storylines, **chosen)
