"""The ledger: what an event does to its customer's money. It is kept when the event is told.

A story makes its steps ahead of their time, so a balance is left open in the step and filled in
here. Whatever a balance shows has been told before; nothing else moves money.
"""

from collections.abc import Callable, Mapping
from typing import Any

from agents.bank.money import BASE, in_base, in_hundredths, money
from agents.bank.population import Customer

Data = dict[str, Any]


def told(customer: Customer, event_type: str, data: Data) -> Data:
    """The data of an event as the bank tells it now, with its money moved."""
    if event_type == "balance.reported" and "balance" not in data:
        return data | _balance(customer, data["account"])
    if entry := _ENTRIES.get(event_type):
        entry(customer, data)
    return data


def _balance(customer: Customer, account: str) -> Data:
    current, foreign = customer.who.accounts
    if account == foreign:
        shown = money(customer.foreign)
        return {"currency": customer.who.foreign_currency, "balance": shown}
    shown = money(customer.current if account == current else 0)
    return {"currency": BASE, "balance": shown, "base_balance": shown}


def _move(customer: Customer, data: Data, amount: str, sign: int) -> None:
    """Into the current account, or into the foreign one if the event names that."""
    moved = sign * in_hundredths(data[amount])
    if data.get("account") == customer.who.accounts[1]:
        customer.foreign += moved
    else:
        customer.current += in_base(moved, data["currency"])


def _stated(customer: Customer, data: Data) -> None:
    """A storyline may say itself what is on an account."""
    current, foreign = customer.who.accounts
    if data["account"] == current:
        customer.current = in_base(in_hundredths(data["balance"]), data["currency"])
    elif data["account"] == foreign:
        customer.foreign = in_hundredths(data["balance"])


def _in(customer: Customer, data: Data) -> None:
    _move(customer, data, "amount", 1)


def _out(customer: Customer, data: Data) -> None:
    _move(customer, data, "amount", -1)


def _transfer(customer: Customer, data: Data) -> None:
    _move(customer, data, "amount", 1 if data["direction"] == "in" else -1)


def _transfer_undone(customer: Customer, data: Data) -> None:
    _move(customer, data, "amount", -1 if data["direction"] == "in" else 1)


def _deposit(customer: Customer, data: Data) -> None:
    _move(customer, data, "principal", -1)


def _paid(customer: Customer, data: Data) -> None:
    customer.owed += in_base(in_hundredths(data["amount"]), data["currency"])


def _payment_undone(customer: Customer, data: Data) -> None:
    customer.owed -= in_base(in_hundredths(data["amount"]), data["currency"])


def _billed(customer: Customer, data: Data) -> None:
    customer.owed -= in_base(in_hundredths(data["amount_due"]), data["currency"])


_ENTRIES: Mapping[str, Callable[[Customer, Data], None]] = {
    "balance.reported": _stated,
    "transfer.completed": _transfer,
    "transfer.reversed": _transfer_undone,
    "deposit.placed": _deposit,
    "deposit.redeemed": _in,
    "product.purchased": _out,
    "product.redeemed": _in,
    "loan.drawn": _in,
    "loan.repaid": _out,
    "card.authorised": _paid,
    "card.reversed": _payment_undone,
    "statement.issued": _billed,
}
