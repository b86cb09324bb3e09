"""The storylines: customers whose doings make the rules fire, and when they begin."""

from collections.abc import Iterator, Sequence
from itertools import cycle
from random import Random
from typing import NamedTuple

from agents.bank.money import amounts
from agents.bank.population import Customer, Population
from agents.bank.stories.holdings import new_deposit
from agents.bank.stories.payments import transfer
from agents.bank.stories.story import HOUR_MS, MINUTE_MS, Step, Story, around, day, days
from agents.bank.stories.visits import STUDY_ABROAD, STUDY_PAGES, page
from streams.durations import DAY_MS

_FIRST_CAST = 3
"""So many customers each go through each storyline in the first live minute."""
_LAST_START_S = 38
"""No storyline of the first minute takes longer than the rest of it."""
_PAUSE_S = 12
"""After the first minute a new storyline begins about so often, real seconds."""
STEADY = 0.3
"""The most active share of the customers has a standing order, and so a mean of its own."""


class Premiere(NamedTuple):
    at: int
    customer: Customer
    story: Story


def standing_order(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """The same sum about every ten days, for ever."""
    _ = at
    while True:
        base = customer.usual * rng.uniform(0.9, 1.1)
        order = transfer(rng, customer, "out", base) | {"purpose": "standing order"}
        yield Step(days(rng, 8, 11), "transfer.completed", order)


def storylines(pace: float) -> tuple[Story, ...]:
    """The storylines at a clock of `pace` bank seconds in a real second."""

    def soon(rng: Random, longest: int) -> int:
        """One or two real seconds later; in bank time not longer than the story allows."""
        return min(round(rng.uniform(800, 2_000) * pace), longest)

    def move_money_abroad(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
        _ = at
        for _ in range(rng.randint(3, 5)):
            sent = transfer(rng, customer, "out", rng.uniform(230_000, 620_000), customer.abroad)
            yield Step(soon(rng, 4 * DAY_MS), "transfer.completed", sent)

    def pay_a_fortune(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
        _ = at
        sent = transfer(rng, customer, "out", customer.usual * rng.uniform(9, 18) + 50_000)
        yield Step(0, "transfer.completed", sent)

    def pay_in_a_rush(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
        _ = at
        for _ in range(rng.randint(6, 9)):
            sent = transfer(rng, customer, "out", around(rng, customer.usual / 3))
            yield Step(soon(rng, 5 * MINUTE_MS), "transfer.completed", sent)

    def look_at_studies(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
        _ = at
        yield Step(0, "logged.in", {"channel": "app", "device": customer.device})
        for _ in range(rng.randint(5, 8)):
            viewed = page(rng.choice(STUDY_PAGES), STUDY_ABROAD, rng.randint(40, 400))
            yield Step(soon(rng, 8 * HOUR_MS), "page.viewed", viewed)

    def park_a_fortune(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
        """For a few days: about to mature as soon as it is placed."""
        put = amounts(rng.uniform(1_200_000, 8_000_000))
        placed = new_deposit(rng, customer, put)
        yield Step(0, "deposit.placed", placed | {"matures_on": day(at, rng.randint(2, 6))})

    return move_money_abroad, pay_a_fortune, pay_in_a_rush, look_at_studies, park_a_fortune


def premieres(
    rng: Random, population: Population, start: int, live_from: int, pace: float
) -> Iterator[Premiere]:
    """When whose storyline begins, in order and without end; times in epoch milliseconds.

    A few in the history, several of each in the first live minute, then one now and then.
    """
    stories = storylines(pace)
    steady = population.active(STEADY)
    cast = rng.sample(steady, min(len(steady), _FIRST_CAST * len(stories)))
    others = [customer for customer in steady if customer not in cast]
    if others:
        yield from _in_history(rng, others, start, live_from)

    def real(seconds: float) -> int:
        return live_from + round(seconds * 1_000 * pace)

    starts = sorted(rng.uniform(2, _LAST_START_S) for _ in range(_FIRST_CAST * len(stories)))
    for start_s, customer, story in zip(starts, cycle(cast), cycle(stories), strict=False):
        yield Premiere(real(start_s), customer, story)
    seconds = 60.0
    while True:
        seconds += rng.uniform(0.5, 1.5) * _PAUSE_S
        yield Premiere(real(seconds), rng.choice(steady), rng.choice(stories))


def _in_history(
    rng: Random, customers: Sequence[Customer], start: int, live_from: int
) -> Iterator[Premiere]:
    unhurried = storylines(DAY_MS)
    at = start + days(rng, 2, 10)
    while at < live_from:
        yield Premiere(at, rng.choice(customers), rng.choice(unhurried))
        at += days(rng, 2, 10)
