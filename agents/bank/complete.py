"""The data of a storyline's event: what its step says, and what it leaves open filled in.

Words of a step that are no fields of the event:

- `amount`: a span in base currency, or times the customer's usual amount; becomes the event's money
- `country`: of a transfer's other party or of a payment; `abroad` is the customer's own foreign one
- `term`: days until a deposit or product matures, a loan is due, a temporary limit ends
"""

import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NamedTuple, get_type_hints

from agents.bank.catalogue import PRODUCTS
from agents.bank.merchants import CATEGORIES
from agents.bank.money import CURRENCY_OF, amounts
from agents.bank.population import Customer
from agents.bank.stories.cards import payment
from agents.bank.stories.holdings import new_deposit
from agents.bank.stories.story import around, day
from agents.bank.stories.transfers import balance, transfer
from agents.bank.stories.visits import STUDY_PAGES, page
from schemas.envelope import Data
from schemas.events import EVENT_TYPES

Fields = dict[str, Any]
WORDS = ("amount", "country", "term")

_SPAN = re.compile(r"([\d_]+)(?:\.\.([\d_]+))?( usual)?")
_MONEY: Mapping[str, tuple[str, str, str]] = {
    "deposit.placed": ("principal", "currency", "base_principal"),
    "deposit.renewed": ("principal", "currency", "base_principal"),
    "balance.reported": ("balance", "currency", "base_balance"),
    "card.limit_changed": ("limit", "currency", ""),
    "card.issued": ("limit", "currency", ""),
    "statement.issued": ("amount_due", "currency", ""),
    "benefit.used": ("cost", "currency", ""),
}
"""Type → its names for amount, currency and base amount, where they are others."""
_DUE = {
    "loan.drawn": "due_on",
    "loan.repaid": "due_on",
    "statement.issued": "due_on",
    "card.limit_changed": "temporary_until",
}


class Asked(NamedTuple):
    """For whom, when, and what a step says of money and country."""

    rng: Random
    customer: Customer
    at: int
    base: float | None
    country: str
    given: Fields


def fields_of(event_type: str) -> frozenset[str]:
    """The names of the fields that events of a type have."""
    data: type[Data] = get_type_hints(EVENT_TYPES[event_type])["data"]
    return frozenset(data.__struct_fields__)


def complete(
    event_type: str, given: Fields, kept: Fields, rng: Random, customer: Customer, at: int
) -> Fields:
    """The event's data. `kept` is what an earlier step said about the same thing."""
    country = str(given.get("country", "CN"))
    country = customer.who.abroad if country == "abroad" else country
    if country not in CURRENCY_OF:
        raise ValueError(f"country: {country!r} is not known here: write {', '.join(CURRENCY_OF)}")
    asked = Asked(rng, customer, at, _base(given, rng, customer), country, given)
    fields = fields_of(event_type)
    data = {name: value for name, value in kept.items() if name in fields}
    if event_type == "deposit.redeemed" and "principal" in kept:
        data["amount"] = kept["principal"]
    if event_type == "product.redeemed" and kept and "left" not in given:
        data["left"] = "0"
    if not data:
        data = _FILL.get(event_type, _by_name)(asked)
    if asked.base is not None:
        data = _with_money(data, event_type, asked)
    if "term" in given:
        data[_DUE.get(event_type, "matures_on")] = day(at, _days(given["term"]))
    said = {name: _filled(value, customer) for name, value in given.items() if name not in WORDS}
    return {name: value for name, value in {**data, **said}.items() if name in fields}


def span(amount: object, usual: int) -> tuple[float, float]:
    """The least and the most that `amount` asks for, in base currency. Raises ValueError."""
    match = _SPAN.fullmatch(str(amount))
    if match is None:
        raise ValueError(
            f"amount: {amount!r} is none: write 300_000, 230_000..620_000 or 9..18 usual"
        )
    low, high = (int(one.replace("_", "")) for one in (match[1], match[2] or match[1]))
    times = usual if match[3] else 1
    return low * times, high * times


def _base(given: Fields, rng: Random, customer: Customer) -> float | None:
    """What `amount` asks for, in base currency."""
    return rng.uniform(*span(given["amount"], customer.who.usual)) if "amount" in given else None


def _days(term: object) -> int:
    if not str(term).isdecimal():
        raise ValueError(f"term: {term!r} is no number of days, such as 90")
    return int(str(term))


def _with_money(data: Fields, event_type: str, asked: Asked) -> Fields:
    """The data with the amount that is asked for in the place of any other."""
    assert asked.base is not None
    usual = ("amount", "currency", "base_amount")
    names = dict(zip(usual, _MONEY.get(event_type, usual), strict=True))
    found = amounts(asked.base, CURRENCY_OF[asked.country])
    others = {name: value for name, value in data.items() if name not in names.values()}
    return others | {names[name]: value for name, value in found.items()}


def _filled(value: Any, customer: Customer) -> Any:
    """`{rm}`, `{branch}`, `{child}`, … in a text are the customer's own."""
    if not isinstance(value, str) or "{" not in value:
        return value
    who = customer.who
    words = {
        "rm": who.rm,
        "branch": who.branch,
        "customer": customer.id,
        "card": who.card,
        "account": who.accounts[0],
        "device": who.device,
        "child": who.children[0].name if who.children else "",
        "employer": who.company.name,
        "neighbour": customer.neighbour(2),
    }
    try:
        return value.format_map(words)
    except (KeyError, ValueError, AttributeError, IndexError, TypeError):
        known = ", ".join(f"{{{word}}}" for word in words)
        raise ValueError(f"{value!r} cannot be filled in: there are {known}") from None


def _transfer(asked: Asked) -> Fields:
    base = around(asked.rng, asked.customer.who.usual) if asked.base is None else asked.base
    direction = str(asked.given.get("direction", "out"))
    return transfer(asked.rng, asked.customer, direction, base, asked.country)


def _payment(asked: Asked) -> Fields:
    made = payment(asked.rng, asked.customer, asked.country, asked.at, asked.base)
    wanted = [one for one in CATEGORIES if one.code == str(asked.given.get("category"))]
    for one in wanted:
        made["merchant"] = asked.rng.choice(one.merchants(asked.country) or one.home)
        made["presence"] = "present"
    return made


def _balance(asked: Asked) -> Fields:
    return balance(asked.customer)


def _deposit(asked: Asked) -> Fields:
    put = amounts(asked.base or around(asked.rng, asked.customer.who.usual * 8))
    return new_deposit(asked.customer, put, asked.at, _days(asked.given.get("term", 90)))


def _product(asked: Asked) -> Fields:
    wanted = asked.given.get("product", PRODUCTS[0].id)
    product = next((one for one in PRODUCTS if one.id == wanted), PRODUCTS[0])
    bought = {
        "holding": asked.customer.next("H"),
        "product": product.id,
        "product_class": product.product_class,
        "risk_level": product.risk,
        **amounts(around(asked.rng, asked.customer.who.usual * 5)),
    }
    return bought | ({"matures_on": day(asked.at, product.days)} if product.days else {})


def _page(asked: Asked) -> Fields:
    topic = str(asked.given.get("page_topic", "lifestyle"))
    return page(asked.rng.choice(STUDY_PAGES), topic, asked.rng.randint(40, 400))


def _by_name(asked: Asked) -> Fields:
    """What follows from a field's name alone."""
    who, rng, customer = asked.customer.who, asked.rng, asked.customer
    return {
        "account": who.accounts[0],
        "attempt": customer.next("J"),
        "branch": who.branch,
        "by": who.rm,
        "call": customer.next("V"),
        "card": who.card,
        "case": customer.next("E"),
        "channel": "app",
        "currency": "CNY",
        "device": who.device,
        "given_by": who.rm,
        "handled_by": f"AG{rng.randint(1, 60):02d}",
        "limit": None,
        "loan": customer.next("L"),
        "previous": None,
        "rm": who.rm,
        "seconds": rng.randint(20, 1_800),
        "statement": customer.next("S"),
        "survey": customer.next("Q"),
        "task": customer.next("W"),
    }


_FILL: Mapping[str, Callable[[Asked], Fields]] = {
    "transfer.completed": _transfer,
    "card.authorised": _payment,
    "card.settled": _payment,
    "card.declined": _payment,
    "balance.reported": _balance,
    "deposit.placed": _deposit,
    "product.purchased": _product,
    "page.viewed": _page,
}
