"""Transfers and card payments: what moves money, and pauses in between."""

from collections.abc import Iterator
from random import Random
from typing import Any

from agents.bank import names
from agents.bank.money import CURRENCY_OF, amounts, money
from agents.bank.opening import balance
from agents.bank.population import Customer
from agents.bank.stories.story import Repertoire, Step, around, day, days, minutes

_BANKS = ("ICBC", "Bank of China", "China Merchants Bank", "CITIC", "Ping An Bank")
_BANKS_ABROAD = ("HSBC", "Citibank", "DBS", "Barclays", "Commonwealth Bank", "UBS")
_PURPOSES = ("household", "rent", "investment", "family support", "gift")
_LARGEST_ORDINARY_ABROAD = 150_000


def transfer(
    rng: Random, customer: Customer, direction: str, base: float, country: str = "CN"
) -> dict[str, Any]:
    """The data of one transfer; the balance follows."""
    abroad = country != "CN"
    customer.balance += base if direction == "in" else -base
    return {
        "transfer": customer.next("T"),
        "account": customer.accounts[1 if abroad else 0],
        "direction": direction,
        **amounts(base, CURRENCY_OF[country]),
        "counterparty_name": names.person(rng).shown,
        "counterparty_bank": rng.choice(_BANKS_ABROAD if abroad else _BANKS),
        "counterparty_country": country,
        "channel": rng.choice(("app", "app", "web", "branch")),
        "purpose": "tuition" if abroad else rng.choice(_PURPOSES),
    }


def pay_out(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    base = around(rng, customer.usual)
    yield Step(0, "transfer.completed", transfer(rng, customer, "out", base))
    if rng.random() < 0.3:
        yield Step(minutes(rng, 1, 30), "balance.reported", balance(customer))


def get_paid(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    base = around(rng, customer.usual * 1.4)
    yield Step(0, "transfer.completed", transfer(rng, customer, "in", base))
    yield Step(minutes(rng, 1, 30), "balance.reported", balance(customer))


def pay_abroad(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    base = min(around(rng, customer.usual), _LARGEST_ORDINARY_ABROAD)
    yield Step(0, "transfer.completed", transfer(rng, customer, "out", base, customer.abroad))


def pay_in_error(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """A transfer that is taken back within the day."""
    _ = at
    base = around(rng, customer.usual)
    sent = transfer(rng, customer, "out", base)
    yield Step(0, "transfer.completed", sent)
    customer.balance += base
    kept = ("transfer", "account", "direction", "amount", "currency", "base_amount")
    undone = {name: sent[name] for name in kept} | {"reason": "account number wrong"}
    yield Step(minutes(rng, 10, 600), "transfer.reversed", undone)


def _payment(rng: Random, customer: Customer, country: str) -> dict[str, Any]:
    category = rng.choice(sorted(names.MERCHANTS))
    base = around(rng, customer.usual / 12)
    return {
        "card": customer.card,
        "payment": customer.next("P"),
        **amounts(base, CURRENCY_OF[country]),
        "merchant": rng.choice(names.MERCHANTS[category]),
        "category": category,
        "country": country,
        "presence": rng.choice(("present", "present", "online", "recurring")),
    }


def pay_by_card(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    paid = _payment(rng, customer, customer.abroad if rng.random() < 0.1 else "CN")
    yield Step(0, "card.authorised", paid)
    yield Step(days(rng, 0.3, 2), "card.settled", paid)
    if rng.random() < 0.04:
        yield Step(days(rng, 1, 10), "card.reversed", paid)


def be_declined(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """Declined, and paid in the end."""
    _ = at
    refused = _payment(rng, customer, customer.abroad)
    reason = rng.choice(("limit", "wrong pin", "suspected fraud"))
    yield Step(0, "card.declined", refused | {"reason": reason})
    yield Step(minutes(rng, 1, 5), "card.authorised", refused | {"payment": customer.next("P")})


def raise_limit(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    yield Step(
        0,
        "card.limit_changed",
        {
            "card": customer.card,
            "limit": money(customer.usual * 8 * 100),
            "previous": money(customer.usual * 5 * 100),
            "currency": "CNY",
            "temporary_until": day(at, rng.randint(10, 40)),
        },
    )


def get_statement(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    due = amounts(around(rng, customer.usual))
    yield Step(
        0,
        "statement.issued",
        {
            "card": customer.card,
            "statement": customer.next("S"),
            "amount_due": due["amount"],
            "currency": due["currency"],
            "due_on": day(at, 20),
        },
    )


PAYMENTS: Repertoire = (
    (9, pay_out),
    (4, get_paid),
    (1, pay_abroad),
    (0.3, pay_in_error),
    (14, pay_by_card),
    (0.4, be_declined),
)
"""After one of these a customer pauses."""

CARD_MATTERS: Repertoire = ((0.3, raise_limit), (1, get_statement))
