"""Deposits, products, loans, accounts, and what the bank notes about a customer."""

from collections.abc import Iterator
from random import Random
from typing import Any

from agents.bank import names
from agents.bank.money import amounts, money
from agents.bank.population import Customer
from agents.bank.stories.story import Repertoire, Step, around, day, days

_PRODUCTS = (
    ("WM-180", "wealth", 2), ("WM-365", "wealth", 3), ("FD-GLOBAL", "fund", 4),
    ("FD-BOND", "fund", 2), ("IN-LEGACY", "insurance", 1), ("GD-BAR", "precious metal", 3),
)  # fmt: skip
_INTERESTS = ("golf", "wine", "opera", "family trust", "study abroad", "health", "travel")
_LOUNGES = ("PVG T2", "SHA T2", "PEK T3", "HKG", "CAN T2")


def keep_deposit(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """Placed, then at maturity renewed or redeemed; some are broken early."""
    put = amounts(around(rng, customer.usual * 8))
    term = rng.choice((7, 30, 90, 180))
    placed = new_deposit(rng, customer, put) | {"matures_on": day(at, term)}
    yield Step(0, "deposit.placed", placed)
    early = rng.random() < 0.15
    redeemed = {
        "deposit": placed["deposit"], "amount": put["amount"], "currency": put["currency"],
        "early": early,
    }  # fmt: skip
    lasted = days(rng, 1, term) if early else days(rng, term, term)
    if not early and rng.random() < 0.5:
        renewed = placed | {"matures_on": day(at, 2 * term)}
        yield Step(lasted, "deposit.renewed", renewed)
        lasted = days(rng, term, term)
    yield Step(lasted, "deposit.redeemed", redeemed)


def new_deposit(rng: Random, customer: Customer, put: dict[str, str]) -> dict[str, Any]:
    """A deposit of these amounts, without the day on which it matures."""
    return {
        "deposit": customer.next("D"),
        "principal": put["amount"],
        "currency": put["currency"],
        "base_principal": put["base_amount"],
        "rate": f"0.0{rng.randint(12, 29)}",
    }


def hold_product(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    product, kind, risk = rng.choice(_PRODUCTS)
    bought = {
        "holding": customer.next("H"),
        "product": product,
        "product_class": kind,
        **amounts(around(rng, customer.usual * 5)),
        "risk_level": risk,
        "matures_on": day(at, rng.choice((90, 180, 365))),
    }
    yield Step(0, "product.purchased", bought)
    if rng.random() < 0.6:
        yield Step(days(rng, 5, 60), "product.redeemed", bought)


def borrow(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    drawn = {
        "loan": customer.next("L"),
        "kind": rng.choice(("mortgage", "business", "securities")),
        **amounts(around(rng, customer.usual * 20)),
        "rate": f"0.0{rng.randint(31, 45)}",
        "due_on": day(at, 360),
    }
    yield Step(0, "loan.drawn", drawn)
    for _ in range(3):
        part = amounts(around(rng, customer.usual * 2))
        yield Step(days(rng, 10, 25), "loan.repaid", drawn | part)


def try_account(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    account = f"A{customer.id[1:]}-{2 + int(customer.next('N').rpartition('-')[2])}"
    opened = {"account": account, "kind": "savings", "currency": "CNY", "branch": customer.branch}
    yield Step(0, "account.opened", opened)
    yield Step(days(rng, 5, 70), "account.closed", {"account": account, "reason": "not needed"})


def change(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """Something about the customer changes: a patch of one or two fields."""
    _ = customer, at
    patch: dict[str, Any] = rng.choice(
        (
            {"residence": rng.choice(names.CITIES)},
            {"occupation": rng.choice(names.OCCUPATIONS), "employer": rng.choice(names.EMPLOYERS)},
            {"consents": {"marketing": {"phone": False, "wechat": True}}},
            {"employer": None},
            {"attributes": {"segment": rng.choice(("founder", "family", "executive"))}},
        )
    )
    yield Step(0, "customer.updated", patch)


def be_tagged(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    tag = {"tag": rng.choice(("moving house", "new business", "expecting", "travelling"))}
    yield Step(0, "tag.added", tag | {"given_by": customer.rm})
    yield Step(days(rng, 3, 50), "tag.removed", tag)


def be_related(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    number = int(customer.id[1:]) + rng.choice((7919, -7919))
    relation = {"other": f"C{number:06d}", "relation": "business partner"}
    yield Step(0, "relation.added", relation)
    yield Step(days(rng, 5, 80), "relation.removed", relation)


def show_interest(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    interest = {"interest": rng.choice(_INTERESTS), "given_by": customer.rm}
    yield Step(0, "interest.recorded", interest)


def enjoy_benefit(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = customer, at
    benefit, cost = rng.choice((("lounge", 220), ("gift", 380), ("airport service", 600)))
    yield Step(
        0,
        "benefit.used",
        {
            "benefit": benefit,
            "place": rng.choice(_LOUNGES),
            "cost": money(cost * 100),
            "currency": "CNY",
        },
    )


HOLDINGS: Repertoire = (
    (3, keep_deposit),
    (2.5, hold_product),
    (0.5, borrow),
    (0.4, try_account),
    (1, change),
    (0.7, be_tagged),
    (0.3, be_related),
    (0.8, show_interest),
    (1.5, enjoy_benefit),
)
