"""The simulated bank: an agenda of stories, told in the order in which messages arrive.

Ticks come at the planned rate. A tick lets a customer begin an ordinary story; events of stories
under way come at their own time and use up later ticks, so the rate holds. Nothing here knows the
real time, and every chance is drawn from the seed: the same plan gives the same bytes.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from itertools import accumulate, cycle
from random import Random

from agents.bank.message import Message, envelope, message
from agents.bank.mishaps import MISHAPS, Envelope, Mishap
from agents.bank.opening import opening
from agents.bank.population import Customer, Population
from agents.bank.stories.holdings import HOLDINGS
from agents.bank.stories.payments import CARD_MATTERS, PAYMENTS
from agents.bank.stories.story import HOUR_MS, Repertoire, Step, Story, minutes
from agents.bank.stories.visits import VISITS
from agents.bank.storylines import STEADY, Premiere, premieres, standing_order
from streams.durations import DAY_MS

_EVENTS_A_DAY = 1.1
"""Of an average customer, in the history."""
_NIGHT_UTC = range(15, 23)
"""Hours of UTC at which Shanghai sleeps."""
_QUIET: Repertoire = (*VISITS, *HOLDINGS, *CARD_MATTERS)
_ALL: Repertoire = (*PAYMENTS, *_QUIET)
_PAYING = frozenset(story for _, story in PAYMENTS)

Act = Callable[[int], Message | None]
"""Something on the agenda: done at its time, it makes a message or changes the agenda."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that the bytes depend on."""

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

    @property
    def start(self) -> int:
        return self.origin - self.history_days * DAY_MS

    def run(self) -> str:
        """Names the plan within event ids, so that two plans' events never have the same."""
        return hashlib.blake2b(repr(self).encode(), digest_size=5).hexdigest()


def messages(plan: Plan, known: Population | None = None) -> Iterator[Message]:
    """The plan's messages in the order of arrival, without end.

    `known` customers live on as they are: nothing tells of their names, accounts and cards first.
    """
    return _Simulation(plan, known).messages()


class _Simulation:
    def __init__(self, plan: Plan, known: Population | None = None) -> None:
        self._plan = plan
        self._newcomers = known is None
        self._run = plan.run()
        self._rng = Random(f"{plan.seed}/stories")  # noqa: S311  # reproducible on purpose
        self._population = known or Population(plan.seed, plan.customers)
        self._agenda: list[tuple[int, int, Act]] = []
        self._entries = 0
        self._events = 0
        self._ahead = 0
        self._late_owed = 0.0
        self._mishaps: Iterator[Mishap] = cycle(MISHAPS)
        casting = Random(f"{plan.seed}/storylines")  # noqa: S311  # reproducible on purpose
        self._premieres = premieres(casting, self._population, plan.start, plan.origin, plan.pace)

    def messages(self) -> Iterator[Message]:
        self._open()
        for tick in self._ticks():
            yield from self._due(tick)
            if self._ahead > 0:
                self._ahead -= 1
            elif said := self._begin_something(tick):
                yield said

    def _open(self) -> None:
        for customer in self._population.customers if self._newcomers else ():
            self._tell(customer, opening, self._plan.start - self._rng.randrange(HOUR_MS, DAY_MS))
        for customer in self._population.active(STEADY):
            self._tell(customer, standing_order, self._plan.start)
        self._await_premiere()

    def _ticks(self) -> Iterator[int]:
        """When an ordinary message is due: by day more often than by night, live at the rate."""
        plan, rng = self._plan, self._rng
        usual = DAY_MS / (plan.customers * _EVENTS_A_DAY)
        live = 1_000 * plan.pace / plan.rate
        at = float(plan.start)
        while at < plan.origin:
            night = int(at) % DAY_MS // HOUR_MS in _NIGHT_UTC
            at += rng.expovariate(1) * usual * (5 if night else 0.75)
            yield min(int(at), plan.origin)
        at = float(plan.origin)
        while True:
            at += rng.expovariate(1) * live
            yield int(at)

    def _due(self, until: int) -> Iterator[Message]:
        while self._agenda and self._agenda[0][0] <= until:
            at, _, act = heappop(self._agenda)
            if (said := act(at)) is not None:
                self._ahead += at >= self._plan.start
                yield said

    def _begin_something(self, at: int) -> Message | None:
        """A customer, by activity, begins a story; who has just paid does something else."""
        rng = self._rng
        customer = self._population.choose(rng)
        story = _choose(rng, _WEIGHED_QUIET if at < customer.busy_until else _WEIGHED_ALL)
        if story in _PAYING:
            customer.busy_until = at + minutes(rng, 20, 90)
        steps = story(rng, customer, at)
        return self._go_on(customer, steps, next(steps), at, self._lateness(at))

    def _tell(self, customer: Customer, story: Story, at: int) -> None:
        steps = story(self._rng, customer, at)
        self._await_step(customer, steps, at)

    def _await_step(self, customer: Customer, steps: Iterator[Step], since: int) -> None:
        step = next(steps, None)
        if step is not None:
            self._put(since + step.wait, partial(self._go_on, customer, steps, step))

    def _go_on(
        self, customer: Customer, steps: Iterator[Step], step: Step, at: int, lateness: int = 0
    ) -> Message:
        """Say a story's step, and put the next one on the agenda."""
        self._events += 1
        event_id = f"{self._run}-{self._events}"
        event = envelope(event_id, step.type, customer.id, at - lateness, step.data)
        said = message(event, at)
        self._await_step(customer, steps, at)
        self._disturb(event, said)
        return said

    def _await_premiere(self) -> None:
        premiere = next(self._premieres)
        self._put(premiere.at, partial(self._raise_curtain, premiere))

    def _raise_curtain(self, premiere: Premiere, at: int) -> None:
        self._tell(premiere.customer, premiere.story, at)
        self._await_premiere()

    def _disturb(self, event: Envelope, said: Message) -> None:
        """Sometimes a message comes twice, or a broken one comes after it."""
        rng, plan = self._rng, self._plan
        self._late_owed += plan.late
        if rng.random() < plan.duplicates:
            real = rng.uniform(0.1, 3)
            wait = real * 1_000 * plan.pace if said.at >= plan.origin else real * HOUR_MS
            self._put(said.at + round(wait), lambda at: said._replace(at=at))
        if rng.random() < plan.broken:
            mishap = next(self._mishaps)
            self._put(said.at, lambda at: mishap(rng, event, at))

    def _lateness(self, at: int) -> int:
        """How late the story's first event comes: hours, days, and rarely more than a month."""
        if self._late_owed < 1:
            return 0
        self._late_owed -= 1
        hours = self._rng.choice((2, 5, 12, 30, 70, 120, 24 * 40))
        known_for = max(0, at - self._plan.start)
        return min(round(hours * HOUR_MS * self._rng.uniform(0.5, 1.2)), known_for)

    def _put(self, at: int, act: Act) -> None:
        self._entries += 1
        heappush(self._agenda, (at, self._entries, act))


_Weighed = tuple[tuple[Story, ...], tuple[float, ...]]


def _weigh(repertoire: Repertoire) -> _Weighed:
    weights = accumulate(weight for weight, _ in repertoire)
    return tuple(story for _, story in repertoire), tuple(weights)


def _choose(rng: Random, weighed: _Weighed) -> Story:
    stories, cumulative = weighed
    return rng.choices(stories, cum_weights=cumulative)[0]


_WEIGHED_ALL = _weigh(_ALL)
_WEIGHED_QUIET = _weigh(_QUIET)
