"""Paydays: a company pays all who work for it on one day, and pensions come on one day, too.

They are told at their time, whoever has a turn then. That is for the customers who are known at
once; the others are paid if they have a turn on the day, see stories/due.py.
"""

from collections.abc import Iterator
from heapq import heapify, heapreplace
from random import Random
from typing import NamedTuple

from agents.bank.plan import Plan
from agents.bank.population import KNOWN_AT_ONCE, Customer, Population
from agents.bank.stories.due import be_paid, next_payday
from agents.bank.stories.story import Step


class Payday(NamedTuple):
    begins: int
    """Epoch milliseconds."""
    rank: int
    """Of the customer who is paid."""

    def steps(self, rng: Random, customer: Customer, at: int) -> Iterator[Step]:
        return be_paid(rng, customer, at)


def paydays(plan: Plan, population: Population) -> Iterator[Payday]:
    """Everybody's paydays after the start, in order, without end."""
    ranks = range(min(population.count, KNOWN_AT_ONCE))
    customers = (population.customer(rank) for rank in ranks)
    ahead = [
        Payday(next_payday(one, plan.start), one.rank) for one in customers if not one.who.quiet
    ]
    heapify(ahead)
    while ahead:
        first = ahead[0]
        following = next_payday(population.customer(first.rank), first.begins)
        heapreplace(ahead, Payday(following, first.rank))
        yield first
