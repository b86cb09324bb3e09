"""What happened, the newest first, as far as the record keeps it."""

from collections.abc import Iterator
from datetime import tzinfo
from decimal import Decimal
from typing import NamedTuple

from schemas.activity import ActivitySection, unpack_declines, unpack_line, unpack_reversible
from schemas.profile import Deposit, Holding, Loan, ProfileSection
from schemas.record import Record
from streams.fold.transfers import kept_fields
from streams.portrait.instants import instant
from streams.portrait.merchant_categories import category_name
from streams.portrait.parts import Amount, Table
from streams.portrait.ties import relation_of

SHOWN = 30


class Moment(NamedTuple):
    at: int
    """Epoch milliseconds."""
    what: str
    about: str = ""
    amount: Amount | None = None


def time_line(record: Record, zone: tzinfo) -> Table:
    """One line of time, whatever the things are that happened."""
    activity, profile = record.activity, record.profile
    moments = [
        *_transfers(activity),
        *_contacts(activity),
        *_visits(activity),
        *_declines(activity),
    ]
    moments += [*_accounts(profile), *_products(profile), *_said(profile)]
    moments = [one for one in moments if one.at >= 0]
    moments.sort(key=lambda one: (-one.at, one.what, one.about))
    rows = tuple(
        (instant(one.at, zone), one.what, one.about or None, one.amount) for one in moments[:SHOWN]
    )
    columns = ("time", "what", "about", "amount")
    return Table("time_line", columns, rows, max(0, len(moments) - SHOWN))


def _transfers(activity: ActivitySection) -> Iterator[Moment]:
    for packed in activity.transfers:
        transfer = unpack_reversible(packed)
        data = kept_fields(transfer)
        told = (data["purpose"], data["counterparty_bank"], data["counterparty_country"])
        what = f"transfer {data['direction']}" + (", reversed" if transfer.reversed else "")
        amount = Amount(Decimal(data["amount"] or 0), data["currency"] or "")
        yield Moment(transfer.at, what, _joined(*told), amount)


def _contacts(activity: ActivitySection) -> Iterator[Moment]:
    for one in unpack_line(activity.line):
        what = one.type.replace(".", " ")
        yield Moment(one.at, what, _joined(one.about, one.result, one.channel, one.name))


def _accounts(profile: ProfileSection) -> Iterator[Moment]:
    for name, account in profile.accounts.items():
        about = f"{name} {account.kind}".strip()
        if account.opened_at is not None:
            yield Moment(account.opened_at, "account opened", about)
        if account.closed_at is not None:
            yield Moment(account.closed_at, "account closed", about)
    for name, deposit in profile.deposits.items():
        yield _deposit(name, deposit)


def _deposit(name: str, deposit: Deposit) -> Moment:
    """The last word on its state, with the amount that it told."""
    if deposit.redeemed is None:
        told = Amount(deposit.principal, deposit.currency)
        return Moment(deposit.changed_at, "deposit placed", name, told)
    what = "deposit redeemed" + (" in part" if deposit.state == "open" else "")
    what += ", early" if deposit.early else ""
    return Moment(deposit.changed_at, what, name, Amount(deposit.redeemed, deposit.currency))


def _products(profile: ProfileSection) -> Iterator[Moment]:
    for holding in profile.holdings.values():
        kind = holding.product_class or "product"
        what, amount = _change(holding, "purchased", "redeemed")
        yield Moment(holding.changed_at, f"{kind} {what}", holding.product, amount)
    for name, loan in profile.loans.items():
        what, amount = _change(loan, "drawn", "repaid")
        yield Moment(loan.changed_at, f"loan {what}", f"{name} {loan.kind}".strip(), amount)
    for name, card in profile.cards.items():
        if card.issued_at is not None:
            yield Moment(card.issued_at, "card issued", f"{name} {card.product}".strip())
        if card.statement:
            due = Amount(card.amount_due, card.statement_currency)
            yield Moment(card.statement_at, "card statement", name, due)


def _change(thing: Holding | Loan, more: str, less: str) -> tuple[str, Amount | None]:
    """What the last event said of it; records of earlier versions do not know."""
    by = thing.last_change
    if not by:
        return "changed", None
    return more if by > 0 else less, Amount(abs(by), thing.currency)


def _said(profile: ProfileSection) -> Iterator[Moment]:
    for tag, at in profile.tags.items():
        yield Moment(at, "tag added", tag)
    for interest, known in profile.interests.items():
        yield Moment(known.at, "interest recorded", _joined(interest, known.source))
    for key, relation in profile.relations.items():
        what = "relation added" if relation.stands else "relation removed"
        yield Moment(relation.at, what, _joined(*relation_of(key)))


def _declines(activity: ActivitySection) -> Iterator[Moment]:
    for one in unpack_declines(activity.declines):
        about = _joined(
            one.merchant, category_name(one.category), one.country, one.reason, one.card
        )
        yield Moment(one.at, "card declined", about, Amount(one.amount, one.currency))


def _visits(activity: ActivitySection) -> Iterator[Moment]:
    visits = activity.visits
    yield Moment(visits.last_login_at, "last login")
    yield Moment(visits.last_page_at, "last page viewed")


def _joined(*told: str | None) -> str:
    return " · ".join(one for one in told if one)
