"""Card payments: where, for what, and what becomes of them."""

from collections.abc import Iterator
from random import Random
from typing import Any

from agents.bank.calendar import day_number, season_of
from agents.bank.life import abroad_on
from agents.bank.merchants import Category, choose_category
from agents.bank.money import CURRENCY_OF, amounts, money
from agents.bank.population import Customer
from agents.bank.stories.story import Likely, Repertoire, Step, around, day, days, minutes

_PRICE = 12
"""A usual payment by card is so much less than a usual transfer."""
_OFTEN_ABROAD = ("US", "HK", "JP", "GB", "SG")


def payment(
    rng: Random, customer: Customer, country: str, at: int, base: float | None = None
) -> dict[str, Any]:
    """The data of a payment in a country, of about so much in base currency."""
    who, today = customer.who, day_number(at)
    category = choose_category(
        rng,
        season_of(today),
        who.turn.kind,
        who.turn.steps(today),
        who.rank,
        country,
    )
    if base is None:
        base = around(rng, who.usual / _PRICE * category.price)
    return {
        "card": who.card,
        "payment": customer.next("P"),
        **amounts(base, CURRENCY_OF[country]),
        "merchant": rng.choice(category.merchants(country)),
        "category": category.code,
        "country": country,
        "presence": presence(rng, category),
    }


_RECURRING = frozenset(("5732", "7298", "7997", "8211"))
_BY_PHONE = frozenset(("5812", "5921", "7011", "7298", "7922"))


def presence(rng: Random, category: Category) -> str:
    """How the card was there. Nobody fills up by phone."""
    if rng.random() < category.online:
        return "online"
    lot = rng.random()
    if lot < 0.15 and category.code in _RECURRING:
        return "recurring"
    return "phone" if lot > 0.85 and category.code in _BY_PHONE else "present"


def pay_by_card(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """Where the customer is; now and then in a shop abroad, on the net."""
    country = abroad_on(customer.rank, customer.who.abroad, day_number(at))
    if country is None:
        country = rng.choice(_OFTEN_ABROAD) if rng.random() < 0.03 else "CN"
    paid = payment(rng, customer, country, at)
    yield Step(0, "card.authorised", paid)
    yield Step(days(rng, 0.3, 2), "card.settled", paid)
    if rng.random() < 0.03:
        yield Step(days(rng, 1, 10), "card.reversed", paid)


def be_declined(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """Declined, and paid in the end."""
    country = abroad_on(customer.rank, customer.who.abroad, day_number(at)) or "CN"
    refused = payment(rng, customer, country, at)
    reason = rng.choice(("limit", "wrong pin", "suspected fraud"))
    yield Step(0, "card.declined", refused | {"reason": reason})
    paid = refused | {"payment": customer.next("P")}
    yield Step(minutes(rng, 1, 5), "card.authorised", paid)
    yield Step(days(rng, 0.3, 2), "card.settled", paid)


def raise_limit(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    limit = customer.who.limit
    changed = {
        "card": customer.who.card,
        "limit": money(limit * 160),
        "previous": money(limit * 100),
        "currency": "CNY",
        "temporary_until": day(at, rng.randint(10, 40)),
    }
    yield Step(0, "card.limit_changed", changed)


CARDS: Repertoire = (
    Likely(pay_by_card, 15.0, 20.0, 30.0),
    Likely(be_declined, 0.25, 0.25, 1.5),
)
"""After one of these a customer pauses."""
LIMITS: Repertoire = (Likely(raise_limit, 0.25, 0.1, 0.4),)
