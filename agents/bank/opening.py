"""The first events of every customer: who they are, their accounts, cards, balances, family."""

from collections.abc import Iterator
from random import Random
from typing import Any

from agents.bank import names
from agents.bank.money import CURRENCY_OF, amounts, money
from agents.bank.population import Customer
from agents.bank.stories.story import Step

_PAUSE_MS = 700
_TAGS = ("golf", "tea", "art", "wine", "marathon", "philanthropy", "yachting", "photography")


def opening(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """The story that makes a customer known to vipcare."""
    _ = at
    relatives = _family(rng, customer)
    yield Step(0, "customer.updated", _person(rng, customer, relatives))
    current, foreign = customer.accounts
    for account, kind, currency in (
        (current, "current", "CNY"),
        (foreign, "foreign-currency", CURRENCY_OF[customer.abroad]),
    ):
        opened = {"account": account, "kind": kind, "currency": currency}
        yield Step(_PAUSE_MS, "account.opened", opened | {"branch": customer.branch})
    issued = {"card": customer.card, "product": f"{customer.tier} credit", "currency": "CNY"}
    limit = money(customer.usual * 5 * 100)
    yield Step(_PAUSE_MS, "card.issued", issued | {"limit": limit})
    yield Step(_PAUSE_MS, "balance.reported", balance(customer))
    if rng.random() < 0.6:
        tag = {"tag": rng.choice(_TAGS), "given_by": customer.rm}
        yield Step(_PAUSE_MS, "tag.added", tag)


def balance(customer: Customer) -> dict[str, Any]:
    """The data of balance.reported for the current account."""
    shown = amounts(customer.balance)
    return {
        "account": customer.accounts[0],
        "currency": shown["currency"],
        "balance": shown["amount"],
        "base_balance": shown["base_amount"],
    }


def _person(rng: Random, customer: Customer, relatives: list[dict[str, Any]]) -> dict[str, Any]:
    born = f"{rng.randint(1948, 1996)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    data: dict[str, Any] = {
        "name": customer.name.shown,
        "phone": f"+86 100{rng.randint(0, 99_999_999):08d}",
        "email": f"{customer.name.latin}{rng.randint(1, 99)}@example.com",
        "birthday": born,
        "opened_on": f"{rng.randint(2005, 2023)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
        "tier": customer.tier,
        "rm": customer.rm,
        "occupation": rng.choice(names.OCCUPATIONS),
        "employer": rng.choice(names.EMPLOYERS),
        "residence": rng.choice(names.CITIES),
        "language": "zh" if customer.name.chinese else "en",
        "consents": {
            "service": {"phone": True, "wechat": True, "sms": rng.random() < 0.9},
            "marketing": {"phone": rng.random() < 0.5, "wechat": rng.random() < 0.7},
        },
        "attributes": {"segment": rng.choice(("founder", "family", "executive"))},
    }
    if customer.name.chinese:
        data["identity_number"] = f"990000{born.replace('-', '')}{rng.randint(0, 9999):04d}"
    return data | ({"family": relatives} if relatives else {})


def _family(rng: Random, customer: Customer) -> list[dict[str, Any]]:
    shared = names.family_of(customer.name)
    relatives: list[dict[str, Any]] = []
    if rng.random() < 0.7:
        relatives.append({"relation": "spouse", "name": names.person(rng).shown})
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        born = f"{rng.randint(1998, 2018)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
        child = names.person(rng, shared).shown
        relatives.append({"relation": "child", "name": child, "birthday": born})
    return relatives
