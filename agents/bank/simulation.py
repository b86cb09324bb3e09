"""The simulated bank: an agenda of stories, told in the order in which messages arrive.

Ticks come at the planned rate. A tick lets a customer begin an ordinary story; events of stories
under way come at their own time and use up later ticks, so the rate holds. Nothing here knows the
real time, and every chance is drawn from the seed: the same plan gives the same bytes.

Memory is bounded whatever the number of customers and the rate: when more stories are under way
than are kept, a tick lets the next one of them go on instead of a new one begin, before its time.
"""

from collections.abc import Callable, Iterator
from functools import partial
from heapq import heappop, heappush, merge
from operator import attrgetter
from random import Random

from msgspec.structs import replace

from agents.bank.calendar import hour_of
from agents.bank.casting import Premiere, premieres
from agents.bank.disturbance import Disturbance
from agents.bank.ledger import told
from agents.bank.message import Message, envelope, message
from agents.bank.opening import introduction, opening
from agents.bank.paydays import Payday, paydays
from agents.bank.plan import Plan
from agents.bank.population import KNOWN_AT_ONCE, Customer, Population
from agents.bank.repertoire import choose_story, is_payment
from agents.bank.stories.due import due_story
from agents.bank.stories.story import HOUR_MS, MINUTE_MS, Step, Story, minutes
from streams.durations import DAY_MS

_EVENTS_A_DAY = 1.1
"""Of an average customer, in the history."""
_TEMPO = (
    *(0.15,) * 7,
    *(0.6, 1.1, 1.5, 1.6, 1.5, 1.5, 1.2, 1.3, 1.4, 1.4, 1.4, 1.4, 1.5, 1.6, 1.5, 1.2, 0.7),
)
"""Hour of the day → how much is done, compared with the average."""
_REST = 2 * MINUTE_MS
"""Between two turns of a customer, as long as others have none either."""
_TRIES = 8
_UNDER_WAY = 50_000
"""So many stories at most are under way."""

Act = Callable[[int], Message]
"""Something on the agenda: done at its time, it makes a message."""


def messages(plan: Plan, known: Population | None = None) -> Iterator[Message]:
    """The plan's messages in the order of arrival, without end.

    `known` customers live on as they are: nothing tells of their names, accounts and cards first.
    """
    return _Simulation(plan, known).messages()


class _Simulation:
    def __init__(self, plan: Plan, known: Population | None) -> None:
        self._plan = plan
        self._run = plan.run()
        self._rng = Random(f"{plan.seed}/stories")  # noqa: S311  # reproducible on purpose
        self._population = known or Population(
            plan.seed, plan.customers, skew=plan.skew, today=plan.origin
        )
        self._newcomers = known is None
        self._agenda: list[tuple[int, int, Act]] = []
        self._entries = 0
        self._events = 0
        self._ahead = 0
        self._disturbance = Disturbance(plan)
        self._calendar: Iterator[Premiere | Payday] = merge(
            premieres(plan, self._population),
            paydays(plan, self._population),
            key=attrgetter("begins"),
        )
        self._date = next(self._calendar)

    def messages(self) -> Iterator[Message]:
        self._open()
        live = False
        for tick in self._ticks():
            yield from self._due(tick)
            if not live and tick >= self._plan.origin:
                live, self._ahead = True, 0  # however much the storylines filled the history
            if self._ahead > 0:
                self._ahead -= 1
            elif len(self._agenda) > _UNDER_WAY:
                yield from self._hasten(tick)
            elif said := self._begin_something(tick):
                yield said

    def _open(self) -> None:
        if self._newcomers:
            for rank in range(min(self._population.count, KNOWN_AT_ONCE)):
                before = self._rng.randrange(HOUR_MS, DAY_MS)
                self._introduce(rank, opening, self._plan.start - before)

    def _introduce(self, rank: int, story: Story, at: int) -> None:
        customer = self._population.customer(rank)
        self._population.columns.known[rank] = 1
        self._tell(customer, story(self._rng, customer, at), at)

    def _ticks(self) -> Iterator[int]:
        """When an ordinary message is due: by day more often than by night, live at the rate."""
        plan, rng = self._plan, self._rng
        usual = DAY_MS / (plan.customers * _EVENTS_A_DAY)
        live = 1_000 * plan.pace / plan.rate
        at = float(plan.start)
        while at < plan.origin:
            at += rng.expovariate(_TEMPO[hour_of(int(at))]) * usual
            yield min(int(at), plan.origin)
        at = float(plan.origin)
        while True:
            at += rng.expovariate(1) * live
            yield int(at)

    def _due(self, until: int) -> Iterator[Message]:
        while True:
            first = self._agenda[0][0] if self._agenda else until + 1
            if self._date.begins <= min(first, until):
                self._keep_date()
                continue
            if first > until:
                return
            at, _, act = heappop(self._agenda)
            self._ahead += at >= self._plan.start
            yield act(at)

    def _hasten(self, at: int) -> Iterator[Message]:
        """The next thing on the agenda, before its time."""
        _, _, act = heappop(self._agenda)
        yield act(at)

    def _begin_something(self, at: int) -> Message | None:
        """A customer, by activity, does what is due or begins a story."""
        rng = self._rng
        customer = self._somebody(at)
        if self._newcomers and not self._population.columns.known[customer.rank]:
            self._introduce(customer.rank, introduction, at)
            return None
        story = due_story(customer, at)
        if story is None:
            busy = at < customer.busy_until
            story = choose_story(rng, customer, at, busy=busy)
            customer.rests_until = at + _REST
            if story is None:
                return None
            if is_payment(story):
                customer.busy_until = at + minutes(rng, 20, 90)
                if customer.who.quiet:
                    customer.rests_until = customer.busy_until
        steps = story(rng, customer, at)
        step = next(steps, None)
        if step is None:
            return None
        return self._go_on(customer, steps, step, at, self._disturbance.lateness(at))

    def _somebody(self, at: int) -> Customer:
        """Whose turn it is: not theirs who have just had one. Then it is one's of those known at
        once: to choose again would, of a million, mostly find newcomers."""
        customer = self._population.choose(self._rng)
        if at >= customer.rests_until:
            return customer
        for _ in range(_TRIES):
            customer = self._population.anybody(self._rng)
            if not customer.who.quiet:
                break
        return customer

    def _tell(self, customer: Customer, steps: Iterator[Step], since: int) -> None:
        step = next(steps, None)
        if step is not None:
            self._put(since + step.wait, partial(self._go_on, customer, steps, step))

    def _go_on(
        self, customer: Customer, steps: Iterator[Step], step: Step, at: int, lateness: int = 0
    ) -> Message:
        """Say a story's step, and put the next one on the agenda."""
        self._events += 1
        event_id = f"{self._run}-{self._events}"
        data = told(customer, step.type, step.data)
        event = envelope(event_id, step.type, customer.id, at - lateness, data)
        said = message(event, at)
        self._tell(customer, steps, at)
        for bad in self._disturbance.of(event, said):
            self._put(bad.at, partial(_arrive, bad))
        return said

    def _keep_date(self) -> None:
        """Premieres and paydays are not on the agenda: never hastened, and without end."""
        date = self._date
        self._date = next(self._calendar)
        customer = self._population.customer(date.rank)
        self._tell(customer, date.steps(self._rng, customer, date.begins), date.begins)

    def _put(self, at: int, act: Act) -> None:
        self._entries += 1
        heappush(self._agenda, (at, self._entries, act))


def _arrive(bad: Message, at: int) -> Message:
    """At the time of the agenda, which may be earlier than it was meant for."""
    return replace(bad, at=at)
