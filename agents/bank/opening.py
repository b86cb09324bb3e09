"""The first events of every customer: who they are, what they hold, their family."""

from collections.abc import Iterator
from datetime import date
from random import Random
from typing import Any

from agents.bank.calendar import day_number, number_of
from agents.bank.money import money
from agents.bank.persona import Persona
from agents.bank.population import Customer
from agents.bank.stories.holdings import hold_product, keep_deposit
from agents.bank.stories.story import Step, day, days
from agents.bank.stories.transfers import balance
from streams.durations import DAY_MS

_PAUSE_MS = 700
_LEAST_OPEN_DAYS, _MOST_OPEN_DAYS = 60, 18 * 365
"""Since when somebody has been a customer. An event is late by less than 60 days."""
_GROWN_UP_DAYS = 18 * 365


def opening(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """The story that makes a customer known to vipcare, and how the first holdings go on."""
    who = customer.who
    yield from introduction(rng, customer, at)
    current, foreign = who.accounts
    for account, kind, currency in (
        (current, "current", "CNY"),
        (foreign, "foreign-currency", who.foreign_currency),
    ):
        opened = {"account": account, "kind": kind, "currency": currency, "branch": who.branch}
        yield Step(_PAUSE_MS, "account.opened", opened)
    issued = {"card": who.card, "product": f"{who.tier} credit", "currency": "CNY"}
    yield Step(_PAUSE_MS, "card.issued", issued | {"limit": money(who.limit * 100)})
    yield Step(_PAUSE_MS, "balance.reported", balance(customer))
    yield Step(_PAUSE_MS, "balance.reported", balance(customer, foreign=True))
    for tag in who.tags:
        yield Step(_PAUSE_MS, "tag.added", {"tag": tag, "given_by": who.rm})
    if who.spouse is not None and who.rank % 2 == 0:
        yield Step(_PAUSE_MS, "relation.added", {"other": who.spouse, "relation": "spouse"})
    for birth in _birth(rng, who, at):
        yield birth
        at += birth.wait
    if who.quiet:
        return
    lot = rng.random()
    if lot < 0.45:
        yield from hold_product(rng, customer, at)
    elif lot < 0.75:
        yield from keep_deposit(rng, customer, at)


def introduction(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """Who the customer is, and no more."""
    yield Step(0, "customer.updated", _person(rng, customer.who, at))


def _opened_on(rng: Random, who: Persona, at: int) -> str:
    """Before anything is told of the customer, and not as a child."""
    today = day_number(at)
    since_grown_up = today - number_of(date.fromisoformat(who.born)) - _GROWN_UP_DAYS
    most = max(_LEAST_OPEN_DAYS, min(since_grown_up, _MOST_OPEN_DAYS))
    return day(at, -rng.randint(_LEAST_OPEN_DAYS, most))


def _person(rng: Random, who: Persona, at: int) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": who.name.shown,
        "phone": f"+86 100{rng.randint(0, 99_999_999):08d}",
        "email": f"{who.name.latin}{rng.randint(1, 99)}@example.com",
        "birthday": who.born,
        "opened_on": _opened_on(rng, who, at),
        "tier": who.tier,
        "rm": who.rm,
        "occupation": who.occupation,
        "residence": who.city,
        "language": who.language,
        "consents": {
            "service": {"phone": True, "wechat": True, "sms": rng.random() < 0.9},
            "marketing": {"phone": rng.random() < 0.5, "wechat": rng.random() < 0.7},
        },
        "attributes": {"segment": who.segment},
    }
    if who.occupation != "retired":
        data["employer"] = who.company.name
    if who.name.chinese:
        data["identity_number"] = f"990000{who.born.replace('-', '')}{rng.randint(0, 9999):04d}"
    family = _family(who, day(at))
    return data | ({"family": family} if family else {})


def _birth(rng: Random, who: Persona, at: int) -> Iterator[Step]:
    """A child that was born since: the bank hears of it some weeks later."""
    latest = max((child.born for child in who.children), default="")
    if latest > (today := day(at)):
        wait = number_of(date.fromisoformat(latest)) - number_of(date.fromisoformat(today))
        family = _family(who, latest)
        yield Step(wait * DAY_MS + days(rng, 7, 30), "customer.updated", {"family": family})


def _family(who: Persona, until: str) -> list[dict[str, Any]]:
    """Children born by a day."""
    family: list[dict[str, Any]] = []
    if who.partner is not None:
        spouse = {"relation": "spouse", "name": who.partner}
        family.append(spouse | ({"customer": who.spouse} if who.spouse else {}))
    family += [
        {"relation": "child", "name": child.name, "birthday": child.born}
        for child in who.children
        if child.born <= until
    ]
    return family
