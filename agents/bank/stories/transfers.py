"""Transfers in and out, at home and abroad, and the balance after them."""

from collections.abc import Iterator
from random import Random
from typing import Any

from agents.bank import names
from agents.bank.calendar import day_number, season_of
from agents.bank.money import CURRENCY_OF, amounts, in_hundredths
from agents.bank.population import Customer
from agents.bank.stories.story import Likely, Repertoire, Step, around, minutes

_BANKS = ("ICBC", "Bank of China", "China Merchants Bank", "CITIC", "Ping An Bank")
_BANKS_ABROAD = ("HSBC", "Citibank", "DBS", "Barclays", "Commonwealth Bank", "UBS")
_PURPOSES = ("household", "rent", "investment", "family support", "gift")
_LARGEST_ORDINARY_ABROAD = 150_000


def transfer(
    rng: Random, customer: Customer, direction: str, base: float, country: str = "CN"
) -> dict[str, Any]:
    """The data of one transfer. Abroad, the account in the foreign currency pays if it can."""
    abroad = country != "CN"
    money = amounts(base, CURRENCY_OF[country])
    fits = abroad and money["currency"] == customer.who.foreign_currency
    covered = direction == "in" or customer.foreign >= in_hundredths(money["amount"])
    return {
        "transfer": customer.next("T"),
        "account": customer.who.accounts[1 if fits and covered else 0],
        "direction": direction,
        **money,
        "counterparty_name": names.anyone(rng),
        "counterparty_bank": rng.choice(_BANKS_ABROAD if abroad else _BANKS),
        "counterparty_country": country,
        "channel": rng.choice(("app", "app", "web", "branch")),
        "purpose": "tuition" if abroad else rng.choice(_PURPOSES),
    }


def bank_of(payer: str) -> str:
    """Who pays again and again does so from one account."""
    return _BANKS[sum(payer.encode()) % len(_BANKS)]


def balance(customer: Customer, *, foreign: bool = False) -> dict[str, Any]:
    """The data of balance.reported; how much there is, the ledger says when it is told."""
    return {"account": customer.who.accounts[1 if foreign else 0]}


def pay_out(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """To somebody; before the New Year mostly as a gift."""
    if not customer.spare:  # money comes in before it goes out
        yield from get_paid(rng, customer, at)
        return
    sent = transfer(rng, customer, "out", around(rng, customer.who.usual))
    if season_of(day_number(at)) in ("before new year", "new year") and rng.random() < 0.6:
        sent["purpose"] = "red packet"
    yield Step(0, "transfer.completed", sent)
    if rng.random() < 0.3:
        yield Step(minutes(rng, 1, 30), "balance.reported", balance(customer))


def get_paid(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    base = around(rng, customer.who.usual * 1.6)
    yield Step(0, "transfer.completed", transfer(rng, customer, "in", base))
    yield Step(minutes(rng, 1, 30), "balance.reported", balance(customer))


def pay_abroad(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    if not customer.spare:
        yield from get_paid(rng, customer, at)
        return
    base = min(around(rng, customer.who.usual), _LARGEST_ORDINARY_ABROAD)
    sent = transfer(rng, customer, "out", base, customer.who.abroad)
    yield Step(0, "transfer.completed", sent)
    foreign = sent["account"] == customer.who.accounts[1]
    yield Step(minutes(rng, 1, 30), "balance.reported", balance(customer, foreign=foreign))


def pay_in_error(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """A transfer that is taken back within the day."""
    _ = at
    base = around(rng, customer.who.usual)
    sent = transfer(rng, customer, "out", base)
    yield Step(0, "transfer.completed", sent)
    kept = ("transfer", "account", "direction", "amount", "currency", "base_amount")
    undone = {name: sent[name] for name in kept} | {"reason": "account number wrong"}
    yield Step(minutes(rng, 10, 600), "transfer.reversed", undone)


TRANSFERS: Repertoire = (
    Likely(pay_out, 8.0, 5.0, 2.0),
    Likely(get_paid, 3.0, 0.8, 1.0),
    Likely(pay_abroad, 1.0, 0.2, 1.0),
    Likely(pay_in_error, 0.3, 0.1, 0.1),
)
"""After one of these a customer pauses."""
