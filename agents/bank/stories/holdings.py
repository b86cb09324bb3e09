"""Deposits, products, loans, accounts, and what the bank notes about a customer."""

from collections.abc import Iterator
from random import Random
from typing import Any

from agents.bank.catalogue import LOANS, ORDINARY, deposit_rate
from agents.bank.companies import company
from agents.bank.money import amounts, money
from agents.bank.population import Customer
from agents.bank.stories.story import Likely, Repertoire, Step, around, day, days, minutes
from agents.bank.stories.transfers import balance
from streams.durations import DAY_MS

_INTERESTS = ("golf", "wine", "opera", "family trust", "study abroad", "health", "travel")
_LOUNGES = ("PVG T2", "SHA T2", "PEK T3", "HKG", "CAN T2")
_LEAST_DEPOSIT = 10_000
_LARGEST_ORDINARY_DEPOSIT = 900_000


def keep_deposit(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """Placed, then at maturity renewed or redeemed; some are broken early."""
    base = min(around(rng, customer.who.usual * 8), _LARGEST_ORDINARY_DEPOSIT)
    base = min(base, customer.spare / 2)
    if base < _LEAST_DEPOSIT:
        return
    put = amounts(base)
    term = rng.choice((7, 30, 90, 180))
    placed = new_deposit(customer, put, at, term)
    yield Step(minutes(rng, 0, 5), "deposit.placed", placed)
    yield Step(minutes(rng, 1, 30), "balance.reported", balance(customer))
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
    yield Step(minutes(rng, 1, 30), "balance.reported", balance(customer))


def new_deposit(customer: Customer, put: dict[str, str], at: int, term: int) -> dict[str, Any]:
    """A deposit of these amounts for so many days, at the rate of that term."""
    return {
        "deposit": customer.next("D"),
        "principal": put["amount"],
        "currency": put["currency"],
        "base_principal": put["base_amount"],
        "rate": deposit_rate(term),
        "matures_on": day(at, term),
    }


def hold_product(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """For half of what can be spared at most; redeemed in whole, for more or less than was paid."""
    affordable = [one for one in ORDINARY if one.least <= customer.spare / 2]
    if not affordable:
        return
    product = rng.choice(affordable)
    base = max(min(around(rng, customer.who.usual * 5), customer.spare / 2), product.least)
    bought = {
        "holding": customer.next("H"),
        "product": product.id,
        "product_class": product.product_class,
        **amounts(base),
        "risk_level": product.risk,
    }
    if product.days is not None:
        bought["matures_on"] = day(at, product.days)
    yield Step(minutes(rng, 0, 5), "product.purchased", bought)
    yield Step(minutes(rng, 1, 30), "balance.reported", balance(customer))
    if product.days is None and rng.random() < 0.6:
        return
    held = days(rng, 5, 90) if product.days is None else product.days * DAY_MS
    worth = amounts(base * rng.uniform(0.94, 1.12))
    yield Step(held, "product.redeemed", bought | worth | {"left": "0"})
    yield Step(minutes(rng, 1, 30), "balance.reported", balance(customer))


def borrow(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """And pay it back within a year, in equal parts."""
    base = around(rng, customer.who.usual * 20)
    kind = rng.choice(tuple(LOANS))
    drawn = {
        "loan": customer.next("L"),
        "kind": kind,
        **amounts(base),
        "rate": LOANS[kind],
        "due_on": day(at, 360),
    }
    yield Step(0, "loan.drawn", drawn)
    yield Step(minutes(rng, 1, 30), "balance.reported", balance(customer))
    part = amounts(base / 12)
    for left in range(11, -1, -1):
        paid = drawn | part | ({} if left else {"left": "0"})
        yield Step(days(rng, 29, 30), "loan.repaid", paid)
        yield Step(minutes(rng, 1, 30), "balance.reported", balance(customer))


def try_account(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """A savings account for something, and closed when it is done."""
    _ = at
    account = customer.next("A")
    opened = {"account": account, "kind": "savings", "currency": "CNY"}
    yield Step(0, "account.opened", opened | {"branch": customer.who.branch})
    yield Step(days(rng, 5, 70), "account.closed", {"account": account, "reason": "not needed"})


def change(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """Something about the customer changes: a patch of one or two fields."""
    _ = at
    who = customer.who
    moves = {"employer": company(0, rng.randrange(10_000)).name, "occupation": "executive"}
    patches: tuple[dict[str, Any], ...] = (
        {"consents": {"marketing": {"phone": False, "wechat": True}}},
        {"phone": f"+86 100{rng.randint(0, 99_999_999):08d}"},
        {"residence": who.city},
        {"attributes": {"segment": who.segment}},
    )
    if who.occupation != "retired":
        patches = (*patches, moves, {"employer": None})
    yield Step(0, "customer.updated", rng.choice(patches))


def be_tagged(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    tag = {"tag": rng.choice(("moving house", "new business", "expecting", "travelling"))}
    yield Step(0, "tag.added", tag | {"given_by": customer.who.rm})
    yield Step(days(rng, 3, 50), "tag.removed", tag)


def be_related(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """A partner in business for a time: another customer."""
    _ = at
    other = customer.neighbour(rng.choice((2, 4, -2, -4)))
    if other == customer.id:
        return
    relation = {"other": other, "relation": "business partner"}
    yield Step(0, "relation.added", relation)
    yield Step(days(rng, 5, 80), "relation.removed", relation)


def show_interest(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    interest = {"interest": rng.choice(_INTERESTS), "given_by": customer.who.rm}
    yield Step(0, "interest.recorded", interest)


def enjoy_benefit(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = customer, at
    benefit, cost = rng.choice((("lounge", 220), ("gift", 380), ("airport service", 600)))
    used = {"benefit": benefit, "place": rng.choice(_LOUNGES)}
    yield Step(0, "benefit.used", used | {"cost": money(cost * 100), "currency": "CNY"})


HOLDINGS: Repertoire = (
    Likely(keep_deposit, 1.5, 0.5, 0.1),
    Likely(hold_product, 1.8, 0.5, 0.2),
    Likely(borrow, 0.2, 0.02, 0.0),
    Likely(try_account, 0.3, 0.1, 0.0),
    Likely(change, 0.7, 0.1, 0.1),
    Likely(be_tagged, 1.0, 0.0, 0.1, office=True),
    Likely(be_related, 0.2, 0.02, 0.0),
    Likely(show_interest, 1.2, 0.0, 0.1, office=True),
    Likely(enjoy_benefit, 0.8, 1.2, 6.0),
)
