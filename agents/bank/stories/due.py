"""What comes by the calendar: salaries, card statements, school fees.

Salaries come on their day and at their time, see paydays.py; of customers who are not known at
once, on their day if they have a turn on it. The others come on the first occasion on or after
their day on which the customer has a turn; whoever is active enough has one every day.
"""

from collections.abc import Iterator
from datetime import date
from random import Random

from agents.bank.calendar import (
    date_of,
    day_number,
    months,
    number_of,
    start_of,
    worked_day_near,
)
from agents.bank.money import BASE, money
from agents.bank.population import KNOWN_AT_ONCE, Customer
from agents.bank.stories.story import HOUR_MS, MINUTE_MS, Step, Story, day, days, minutes
from agents.bank.stories.transfers import balance, bank_of, get_paid, transfer

_STATEMENT_DAY = 18
_TERMS = {2: 0, 9: 1}
"""The months in which school fees are paid → which half of the year it is for."""
_SCHOOL_AGES = range(3, 23)


def due_story(customer: Customer, at: int) -> Story | None:
    """The story that is due for a customer, once; None if nothing is."""
    today = date_of(day_number(at))
    month = today.year * 12 + today.month
    paid = customer.rank >= KNOWN_AT_ONCE and today == _payday(customer, today.year, today.month)
    if paid and customer.first_time("salary", month):
        return be_paid
    if today.day >= _STATEMENT_DAY and customer.first_time("statement", month):
        return get_statement
    half = _TERMS.get(today.month)
    if half is None or not _pupils(customer, today.year):
        return None
    return pay_school if customer.first_time("school", today.year * 2 + half) else None


def _payday(customer: Customer, year: int, month: int) -> date:
    day = 3 if customer.who.occupation == "retired" else customer.who.company.payday
    return worked_day_near(date(year, month, day))


def next_payday(customer: Customer, after: int) -> int:
    """When the customer is paid next, epoch milliseconds: all of a company within some minutes."""
    who, today = customer.who, date_of(day_number(after))
    payer = 0 if who.occupation == "retired" else who.company.number
    of_day = 9 * HOUR_MS + payer * 7 % 180 * MINUTE_MS + customer.rank % 600 * 1_000
    for month in (today.month, today.month + 1):  # once a month: never moved into another
        day = _payday(customer, today.year + month // 13, (month - 1) % 12 + 1)
        if (at := start_of(number_of(day)) + of_day) > after:
            return at
    raise AssertionError("a month later is after it")


def _pupils(customer: Customer, year: int) -> int:
    return sum(year - int(child.born[:4]) in _SCHOOL_AGES for child in customer.who.children)


def be_paid(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """A salary or a pension; owners of a company take a share of its profit each quarter."""
    who = customer.who
    month = months(day_number(at)) % 12 or 12
    base, purpose = who.usual * 1.2, "salary"
    if who.occupation == "retired":
        base, purpose = who.usual * 0.5, "pension"
    elif who.owns_company:
        if month % 3 != 1:
            return
        base, purpose = who.usual * 3.5, "dividend"
    payer = "Social insurance" if purpose == "pension" else who.company.name
    sender = {"counterparty_name": payer, "counterparty_bank": bank_of(payer), "purpose": purpose}
    yield Step(0, "transfer.completed", transfer(rng, customer, "in", base) | sender)
    if purpose == "salary" and month == 1:  # the thirteenth month, before the New Year
        bonus = transfer(rng, customer, "in", base) | sender | {"purpose": "bonus"}
        yield Step(MINUTE_MS, "transfer.completed", bonus)
    yield Step(minutes(rng, 1, 30), "balance.reported", balance(customer))


def get_statement(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """Of what the card has paid since the last one; and pay it before it is due."""
    owed = customer.owed
    if owed <= 0:
        return
    statement = {
        "card": customer.who.card,
        "statement": customer.next("S"),
        "amount_due": money(owed),
        "currency": BASE,
        "due_on": day(at, 20),
    }
    yield Step(0, "statement.issued", statement)
    paid = transfer(rng, customer, "out", owed / 100) | {"purpose": "card statement"}
    yield Step(days(rng, 12, 19), "transfer.completed", paid)
    yield Step(minutes(rng, 1, 30), "balance.reported", balance(customer))
    if not customer.spare:
        yield from get_paid(rng, customer, at)


def pay_school(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """The fees of a term, of all children at once."""
    count = max(1, _pupils(customer, date_of(day_number(at)).year))
    base = min(customer.who.usual * 1.5 * count, customer.who.usual * 2.2)
    paid = transfer(rng, customer, "out", base)
    yield Step(0, "transfer.completed", paid | {"purpose": "school fees"})
