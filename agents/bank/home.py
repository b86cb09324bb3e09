"""Households: couples of whom both are customers, children and their school years."""

from functools import lru_cache
from random import Random
from typing import NamedTuple

from agents.bank import names

_BOTH_CUSTOMERS = 0.3


class Child(NamedTuple):
    name: str
    born: str
    """YYYY-MM-DD."""


class Home(NamedTuple):
    """What the members of a household share."""

    shared: bool
    """Both customers of the pair live in it; else this is the home of one of them."""
    husband: names.Name
    wife: names.Name
    married: bool
    children: tuple[Child, ...]
    parents_born: int
    """The year in which the elder was born."""


@lru_cache(4_096)
def home_of(seed: int, rank: int, count: int) -> Home:
    """Of the customer with a rank. Two neighbours in rank may be husband (even) and wife (odd)."""
    pair = rank // 2
    rng = Random(f"{seed}/home/{pair}")  # noqa: S311  # a simulation, reproducible on purpose
    shared = rng.random() < _BOTH_CUSTOMERS and pair * 2 + 1 < count
    if not shared:
        rng = Random(f"{seed}/home/{pair}/{rank % 2}")  # noqa: S311  # reproducible on purpose
    husband = names.person(rng, woman=False)
    wife = names.person(rng, woman=True, chinese=husband.chinese)
    born = rng.randint(1948, 1994)
    married = shared or rng.random() < 0.7
    children = _children(rng, husband.family, born) if married else ()
    return Home(shared, husband, wife, married, children, born)


def _children(rng: Random, family: str, born: int) -> tuple[Child, ...]:
    made = []
    year = born + rng.randint(25, 36)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 2))):
        if year > 2024:
            break
        name = names.person(rng, woman=rng.random() < 0.5, family=family)
        made.append(Child(name.shown, f"{year}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"))
        year += rng.randint(2, 6)
    return tuple(made)
