"""What happened, the newest first, as far as the record keeps it."""

from collections.abc import Iterator
from datetime import tzinfo
from decimal import Decimal
from typing import NamedTuple

from schemas.activity import ActivitySection, unpack_transfer
from schemas.profile import ProfileSection
from schemas.record import Record
from streams.fold.transfers import kept_fields
from streams.portrait.instants import instant
from streams.portrait.parts import Amount, Table

SHOWN = 30


class Moment(NamedTuple):
    at: int
    """Epoch milliseconds."""
    what: str
    about: str
    amount: Amount | None = None


def time_line(record: Record, zone: tzinfo) -> Table:
    """One line of time, whatever the things are that happened."""
    moments = [*_transfers(record.activity), *_accounts(record.profile), *_visits(record.activity)]
    moments += [Moment(at, "tag added", tag) for tag, at in record.profile.tags.items()]
    moments.sort(key=lambda one: (-one.at, one.what, one.about))
    rows = tuple(
        (instant(one.at, zone), one.what, one.about or None, one.amount) for one in moments[:SHOWN]
    )
    columns = ("time", "what", "about", "amount")
    return Table("time_line", columns, rows, max(0, len(moments) - SHOWN))


def _transfers(activity: ActivitySection) -> Iterator[Moment]:
    for packed in activity.transfers:
        transfer = unpack_transfer(packed)
        data = kept_fields(transfer)
        told = (data["purpose"], data["counterparty_bank"], data["counterparty_country"])
        about = " · ".join(one for one in told if one)
        what = f"transfer {data['direction']}" + (", reversed" if transfer.reversed else "")
        amount = Amount(Decimal(data["amount"] or 0), data["currency"] or "")
        yield Moment(transfer.at, what, about, amount)


def _accounts(profile: ProfileSection) -> Iterator[Moment]:
    for name, account in profile.accounts.items():
        if account.opened_at is not None:
            yield Moment(account.opened_at, "account opened", f"{name} {account.kind}".strip())
        if account.closed_at is not None:
            yield Moment(account.closed_at, "account closed", f"{name} {account.kind}".strip())
    for name, deposit in profile.deposits.items():
        if deposit.changed_at >= 0:
            what = "deposit placed" if deposit.state == "open" else f"deposit {deposit.state}"
            amount = Amount(deposit.principal, deposit.currency)
            yield Moment(deposit.changed_at, what, name, amount)


def _visits(activity: ActivitySection) -> Iterator[Moment]:
    visits = activity.visits
    if visits.last_login_at >= 0:
        yield Moment(visits.last_login_at, "last login", "")
    if visits.last_page_at >= 0:
        yield Moment(visits.last_page_at, "last page viewed", "")
