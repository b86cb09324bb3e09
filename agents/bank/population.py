"""All customers of the simulated bank, however many: personas on demand, numbers in columns.

A million customers are some 80 bytes each. Personas are worked out again whenever they are asked
for; those asked for lately are kept.
"""

from array import array
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import Any

from agents.bank.calendar import day_number
from agents.bank.money import RATES
from agents.bank.persona import Persona, customer_id, made_to_fit, no_couple, persona_of

_PERSONAS_KEPT = 20_000
KNOWN_AT_ONCE = 10_000
"""So many customers, the most active, are told of before the history, with what they hold; the
others by name, when they first do something."""
_LEAST_FUNDS, LARGEST_FUNDS = 20, 109
"""So many usual transfers are on the current account at first."""
_LEAST_FOREIGN, LARGEST_FOREIGN = 2, 15
"""And on the one in the foreign currency."""
_KEPT = 6
"""So many usual transfers stay on the current account."""
_FLATTEN = 5
"""Zipf's law with a flattened head: the most active customer is active, not a machine."""


class Columns:
    """What has happened so far, by rank."""

    def __init__(self, count: int) -> None:
        self.known = bytearray(count)
        """Whether the bank has told who this is."""
        self.things = array("L", bytes(array("L").itemsize * count))
        """How many deposits, payments, … there have been; numbers their names."""
        self.current = array("q", bytes(8 * count))
        """By how much the balance of the current account differs from that at the beginning, in
        hundredths of the base currency."""
        self.foreign = array("q", bytes(8 * count))
        """The same of the account in the foreign currency, in hundredths of that."""
        self.owed = array("q", bytes(8 * count))
        """What the card has paid and no statement has billed yet, in hundredths of the base."""
        self.busy_until = array("q", bytes(8 * count))
        """No ordinary payment before this time: people pause between payments."""
        self.rests_until = array("q", bytes(8 * count))
        """Others have their turn before this time."""
        self.visits_until = array("q", bytes(8 * count))
        """Who looks at the app again before this time is still logged in."""
        self.browsed_abroad = array("q", bytes(8 * count))
        """When an ordinary visitor last looked at study-abroad pages."""
        self.done: Mapping[str, array[int]] = {
            what: array("h", bytes(2 * count)) for what in ("salary", "statement", "school")
        }
        """What comes once a period → the last period in which it came, see stories/due.py."""


class Customer:
    """A persona with what has happened to it. Cheap to make, and nothing is lost with it."""

    __slots__ = ("_columns", "rank", "who")

    def __init__(self, who: Persona, columns: Columns) -> None:
        self.who = who
        self.rank = who.rank
        self._columns = columns

    @property
    def id(self) -> str:
        return self.who.id

    @property
    def balance(self) -> float:
        """Of the current account, in base currency."""
        return self.current / 100

    @property
    def spare(self) -> float:
        """What is not needed for the payments of the next weeks, in base currency."""
        return max(0.0, self.balance - _KEPT * self.who.usual)

    @property
    def current(self) -> int:
        """The balance of the current account, in hundredths of the base currency.

        Only the ledger changes money, see ledger.py.
        """
        return self._current_at_first + self._columns.current[self.rank]

    @current.setter
    def current(self, hundredths: int) -> None:
        self._columns.current[self.rank] = hundredths - self._current_at_first

    @property
    def _current_at_first(self) -> int:
        times = _LEAST_FUNDS + self.rank % (LARGEST_FUNDS - _LEAST_FUNDS + 1)
        return max(self.who.usual * times, self.who.funds) * 100

    @property
    def foreign(self) -> int:
        """The balance of the account in the foreign currency, in hundredths of that."""
        return self._foreign_at_first + self._columns.foreign[self.rank]

    @foreign.setter
    def foreign(self, hundredths: int) -> None:
        self._columns.foreign[self.rank] = hundredths - self._foreign_at_first

    @property
    def _foreign_at_first(self) -> int:
        times = _LEAST_FOREIGN + self.rank % (LARGEST_FOREIGN - _LEAST_FOREIGN + 1)
        base = self.who.usual * times * 100
        return base * 100 // RATES[self.who.foreign_currency]

    @property
    def owed(self) -> int:
        """What the card has paid since the last statement, in hundredths of the base currency."""
        return self._columns.owed[self.rank]

    @owed.setter
    def owed(self, hundredths: int) -> None:
        self._columns.owed[self.rank] = hundredths

    def neighbour(self, away: int) -> str:
        """The id of the customer who is so many ranks away, round the end."""
        count = len(self._columns.known)
        return customer_id((self.rank + away) % count, count)

    def next(self, what: str) -> str:
        """A fresh name for a thing of this customer: `D000007-3`."""
        self._columns.things[self.rank] += 1
        return f"{what}{self.who.number}-{self._columns.things[self.rank]}"

    @property
    def busy_until(self) -> int:
        return self._columns.busy_until[self.rank]

    @busy_until.setter
    def busy_until(self, at: int) -> None:
        self._columns.busy_until[self.rank] = at

    @property
    def rests_until(self) -> int:
        return self._columns.rests_until[self.rank]

    @rests_until.setter
    def rests_until(self, at: int) -> None:
        self._columns.rests_until[self.rank] = at

    @property
    def visits_until(self) -> int:
        return self._columns.visits_until[self.rank]

    @visits_until.setter
    def visits_until(self, at: int) -> None:
        self._columns.visits_until[self.rank] = at

    @property
    def browsed_abroad(self) -> int:
        return self._columns.browsed_abroad[self.rank]

    @browsed_abroad.setter
    def browsed_abroad(self, at: int) -> None:
        self._columns.browsed_abroad[self.rank] = at

    def first_time(self, what: str, period: int) -> bool:
        """Whether this has not been done in that period or later yet; it is from now on."""
        column = self._columns.done[what]
        if column[self.rank] >= period:
            return False
        column[self.rank] = period
        return True


class Population:
    """Customers by rank, the most active first."""

    def __init__(
        self,
        seed: int,
        count: int,
        weights: Iterable[float] | None = None,
        *,
        skew: float = 1.0,
        today: int = 0,
    ) -> None:
        """`weights` of the customers by rank: how active each is; Zipf's law if none are given.

        `today` (epoch milliseconds) is when lives turn.
        """
        self.count = count
        self.columns = Columns(count)
        usual = ((rank + 1 + _FLATTEN) ** -skew for rank in range(count))
        self._weights = array("d", accumulate(usual if weights is None else weights))
        self._parts: dict[int, Mapping[str, Any]] = {}
        day = day_number(today)

        @lru_cache(_PERSONAS_KEPT)
        def customer(rank: int) -> Customer:
            who = persona_of(seed, rank, count, day)
            own = self._parts.get(rank, {})
            of_spouse = self._parts.get(rank ^ 1, {}) if who.spouse else {}
            if own and of_spouse and no_couple(own, of_spouse):
                who, of_spouse = replace(who, spouse=None, partner=None, children=()), {}
            if own or of_spouse:
                who = made_to_fit(who, own, of_spouse, day)
            return Customer(who, self.columns)

        self.customer = customer
        """The customer with a rank."""

    def give_part(self, rank: int, needs: Mapping[str, Any]) -> None:
        """From now on the customer with this rank is one who fits a part in a storyline."""
        self._parts[rank] = needs
        self.customer.cache_clear()

    def choose(self, rng: Random) -> Customer:
        """One customer, the active ones more often."""
        rank = bisect(self._weights, rng.random() * self._weights[-1], 0, self.count - 1)
        return self.customer(rank)

    def anybody(self, rng: Random) -> Customer:
        """One of those who are known at once, all alike."""
        return self.customer(rng.randrange(min(self.count, KNOWN_AT_ONCE)))

    def ids(self) -> Sequence[str]:
        """All ids, the most active first."""
        return [customer_id(rank, self.count) for rank in range(self.count)]
