"""Who plays which storyline, and when it comes to a head.

A few do in the history, three of each in the first live minute, then one about every 12 seconds.
Those who play are chosen beforehand and made to fit the part, so that all of it is told: what
comes before day 0 lies in the history. Later on, anybody plays, and everything comes live.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain, cycle, islice
from random import Random
from typing import NamedTuple

from agents.bank.calendar import day_number, start_of
from agents.bank.performance import Stage, begins, perform
from agents.bank.persona import customer_id
from agents.bank.plan import Plan
from agents.bank.population import KNOWN_AT_ONCE, Customer, Population
from agents.bank.stories.story import Step, days, minutes
from agents.bank.storyline import Storyline
from agents.bank.storyline_file import shipped_storylines
from streams.durations import DAY_MS

FIRST_CAST = 3
"""So many customers each come to a head with each storyline in the first live minute."""
_FIRST_S = (2.0, 38.0)
"""No storyline takes longer than the rest of the minute."""
_PAUSE_S = 12.0
"""After the first minute a new storyline comes to a head about so often, real seconds."""
_LATER_CAST = 4
"""So many customers more are chosen for each."""
_LEAD_S = 20.0
"""Of a storyline that is played live as a whole."""


class Premiere(NamedTuple):
    storyline: Storyline
    rank: int
    """Of the customer who plays."""
    stage: Stage
    begins: int
    """When its first event comes, epoch milliseconds."""

    def steps(self, rng: Random, customer: Customer, at: int) -> Iterator[Step]:
        return perform(self.storyline, self.stage, rng, customer, at)


def storylines_of(plan: Plan) -> tuple[Storyline, ...]:
    return shipped_storylines() if plan.storylines is None else plan.storylines


def cast(plan: Plan) -> Sequence[Premiere]:
    """Everybody who is chosen beforehand, in the order in which they come to a head."""
    rng = Random(f"{plan.seed}/storylines")  # noqa: S311  # a simulation, reproducible on purpose
    stories = storylines_of(plan)
    pool = min(plan.customers, KNOWN_AT_ONCE)
    ranks = cycle(rng.sample(range(pool), pool))
    chosen: list[Premiere] = []
    for storyline, stage in (*_live(rng, plan, stories), *_in_history(rng, plan, stories)):
        chosen.append(Premiere(storyline, next(ranks), stage, begins(storyline, stage)))
    return sorted(chosen, key=lambda one: one.stage.head)


def premieres(plan: Plan, population: Population) -> Iterator[Premiere]:
    """Gives the parts out at once, and everybody's premiere in the order in which they begin,
    without end."""
    chosen = cast(plan)
    given: set[int] = set()
    for one in chosen:
        if one.rank not in given and one.rank < population.count:
            given.add(one.rank)
            population.give_part(one.rank, one.storyline.persona.model_dump(exclude_none=True))
    last = max(one.stage.head for one in chosen)
    return chain(sorted(chosen, key=lambda one: one.begins), _later(plan, population, last))


def _later(plan: Plan, population: Population, at: int) -> Iterator[Premiere]:
    """Played by anybody who lives an ordinary life, after a time, without end."""
    rng = Random(f"{plan.seed}/storylines/later")  # noqa: S311  # reproducible on purpose
    known = range(min(plan.customers, population.count, KNOWN_AT_ONCE))
    pool = [rank for rank in known if not population.customer(rank).who.quiet] or known
    while True:
        at += round(rng.uniform(0.5, 1.5) * _PAUSE_S * 1_000 * plan.pace)
        storyline = rng.choice(storylines_of(plan))
        head = at + (round(_LEAD_S * 1_000 * plan.pace) if storyline.lead_days else 0)
        yield Premiere(storyline, rng.choice(pool), Stage(head, at, plan.pace), at)


def _live(
    rng: Random, plan: Plan, stories: Sequence[Storyline]
) -> Iterator[tuple[Storyline, Stage]]:
    def stage(seconds: float) -> Stage:
        head = plan.origin + round(seconds * 1_000 * plan.pace)
        return Stage(head, plan.start, plan.pace)

    starts = sorted(rng.uniform(*_FIRST_S) for _ in range(FIRST_CAST * len(stories)))
    for start, storyline in zip(starts, cycle(stories), strict=False):
        yield storyline, stage(start)
    seconds = 60.0
    for storyline in islice(cycle(stories), _LATER_CAST * len(stories)):
        seconds += rng.uniform(0.5, 1.5) * _PAUSE_S
        yield storyline, stage(seconds)


def _in_history(
    rng: Random, plan: Plan, stories: Sequence[Storyline]
) -> Iterator[tuple[Storyline, Stage]]:
    """One comes to a head a week or so after the one before, if all of it lies in the history."""
    at = plan.start + days(rng, 8, 14)
    waiting = deque(stories)
    while at < plan.origin:
        head = start_of(day_number(at)) + minutes(rng, 9 * 60, 21 * 60)
        if head >= plan.origin:
            return
        past = (head - plan.start) // DAY_MS
        storyline = next((one for one in waiting if one.lead_days < past), None)
        if storyline is not None:
            yield storyline, Stage(head, plan.start, None)
            waiting.remove(storyline)
            waiting.append(storyline)
        at += days(rng, 3, 9)


def stars(plan: Plan) -> Sequence[tuple[Storyline, str]]:
    """The storylines that are shown, each with the id of the customer who plays it first live.

    They are the same wherever history ends.
    """
    first: dict[str, tuple[Storyline, str]] = {}
    for one in cast(plan):
        if one.storyline.portrait and one.stage.pace is not None:
            star = one.storyline, customer_id(one.rank, plan.customers)
            first.setdefault(one.storyline.id, star)
    return list(first.values())
