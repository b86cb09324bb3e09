"""The customers of the simulated bank: who they are, what they hold, how active they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from agents.bank import names
from agents.bank.money import CURRENCY_OF

_TIERS = (("diamond", 0.08), ("platinum", 0.27), ("gold", 0.65))
_USUAL = {"diamond": 60_000, "platinum": 30_000, "gold": 15_000}
_CUSTOMERS_AN_RM = 40
_FLATTEN = 5
"""Zipf's law with a flattened head: the most active customer is active, not a machine."""


@dataclass(slots=True)
class Customer:
    """One customer, with what later events refer to."""

    id: str
    rank: int
    """Activity falls with the rank, from 0."""
    name: names.Name
    tier: str
    rm: str
    branch: str
    abroad: str
    """The foreign country that this customer has to do with."""
    usual: int
    """The size of a usual transfer, in base currency."""
    accounts: list[str]
    """The current account first."""
    card: str
    device: str
    balance: float
    busy_until: int = 0
    """No ordinary payment before this time: people pause between payments."""
    browsed_abroad: int = -(2**60)
    """When an ordinary visitor last looked at study-abroad pages."""
    held: dict[str, int] = field(default_factory=dict)
    """How many deposits, holdings, … this customer has had; numbers their names."""

    def next(self, what: str) -> str:
        """A fresh name for a thing of this customer: `D000007-3`."""
        self.held[what] = self.held.get(what, 0) + 1
        return f"{what}{self.id[1:]}-{self.held[what]}"


class Population:
    """All customers, the most active first."""

    def __init__(self, seed: int, count: int, weights: Iterable[float] | None = None) -> None:
        """`weights` of the customers by rank: how active each is; Zipf's law if none are given."""
        rng = Random(f"{seed}/population")  # noqa: S311  # a simulation, reproducible on purpose
        self.customers: Sequence[Customer] = [_customer(rng, rank, count) for rank in range(count)]
        usual = (1 / (rank + 1 + _FLATTEN) for rank in range(count))
        self._weights = list(accumulate(usual if weights is None else weights))

    def choose(self, rng: Random) -> Customer:
        """One customer, the active ones more often."""
        return rng.choices(self.customers, cum_weights=self._weights)[0]

    def active(self, share: float) -> Sequence[Customer]:
        """The most active share of the customers, at least one."""
        return self.customers[: max(1, round(len(self.customers) * share))]


def _customer(rng: Random, rank: int, count: int) -> Customer:
    number = f"{100_000 + rank * 7919 % 900_000:06d}" if count <= 900_000 else f"{rank:07d}"
    tier = rng.choices([tier for tier, _ in _TIERS], [share for _, share in _TIERS])[0]
    usual = round(_USUAL[tier] * rng.uniform(0.6, 1.8))
    abroad = rng.choice([country for country in CURRENCY_OF if country != "CN"])
    return Customer(
        id=f"C{number}",
        rank=rank,
        name=names.person(rng),
        tier=tier,
        rm=f"RM{1 + rank % max(1, count // _CUSTOMERS_AN_RM):03d}",
        branch=f"BR{1 + rank % 12:02d}",
        abroad=abroad,
        usual=usual,
        accounts=[f"A{number}-1", f"A{number}-2"],
        card=f"K{number}-1",
        device=f"dev-{rng.getrandbits(40):010x}",
        balance=usual * rng.uniform(20, 120),
    )
