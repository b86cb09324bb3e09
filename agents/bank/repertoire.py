"""Which ordinary story begins next: by what day it is, and where the customer is."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import NamedTuple

from agents.bank.calendar import day_number, is_day_off, office_opens
from agents.bank.life import abroad_on
from agents.bank.population import Customer
from agents.bank.stories.cards import CARDS, LIMITS, pay_by_card
from agents.bank.stories.holdings import HOLDINGS
from agents.bank.stories.service import SERVICE
from agents.bank.stories.story import Likely, Repertoire, Story
from agents.bank.stories.transfers import TRANSFERS
from agents.bank.stories.visits import VISITS

_UNPAID: Repertoire = (*VISITS, *SERVICE, *HOLDINGS, *LIMITS)
_ALL: Repertoire = (*TRANSFERS, *CARDS, *_UNPAID)
_PAYMENTS = frozenset(one.story for one in (*TRANSFERS, *CARDS))


class _Weighed(NamedTuple):
    stories: Sequence[Story]
    cumulative: Sequence[float]


@lru_cache(12)
def _weighed(busy: bool, where: str, open_: bool) -> _Weighed:
    def weight(one: Likely) -> float:
        return {"work": one.on_workdays, "off": one.on_days_off, "away": one.on_journeys}[where]

    chosen = [one for one in (_UNPAID if busy else _ALL) if open_ or not one.office]
    return _Weighed(
        tuple(one.story for one in chosen), tuple(accumulate(weight(one) for one in chosen))
    )


def choose_story(rng: Random, customer: Customer, at: int, *, busy: bool) -> Story | None:
    """An ordinary story; one without a payment for who is busy with the last one.

    Who lives quietly only pays by card, who is asleep does nothing: what else happens, a storyline
    tells.
    """
    if customer.who.quiet:
        return None if busy or customer.who.asleep else pay_by_card
    day = day_number(at)
    away = abroad_on(customer.rank, customer.who.abroad, day) is not None
    where = "away" if away else "off" if is_day_off(day) else "work"
    stories, cumulative = _weighed(busy, where, office_opens(at) == at)
    return rng.choices(stories, cum_weights=cumulative)[0]


def is_payment(story: Story) -> bool:
    """Whether who begins it pauses afterwards."""
    return story in _PAYMENTS
