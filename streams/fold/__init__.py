"""How an event changes the profile section: one function for each event type that does."""

from collections.abc import Callable
from typing import Any

from schemas.record import ProfileSection, Record
from streams.fold import accounts, basics, deposits, transfers, visits
from streams.inputs import Input

FOLDS: dict[str, Callable[[ProfileSection, Any, int], None]] = {
    "customer.updated": basics.customer_updated,
    "tag.added": basics.tag_added,
    "tag.removed": basics.tag_removed,
    "account.opened": accounts.opened,
    "account.closed": accounts.closed,
    "balance.reported": accounts.balance_reported,
    "deposit.placed": deposits.placed,
    "deposit.renewed": deposits.placed,
    "deposit.redeemed": deposits.redeemed,
    "logged.in": visits.logged_in,
    "page.viewed": visits.page_viewed,
}
"""Event type → fold(profile, data, event time). Transfers have folds of their own, see step."""


def fold(record: Record, event: Input, *, late: bool) -> Input | None:
    """Apply one event to the profile section, in place; other types leave it undecoded.

    Returns the completed transfer that a reversal takes back and that windows still hold, if any.
    """
    data: Any = event.event.data
    if event.type == "transfer.completed":
        transfers.completed(record.profile, data, event.at, late=late)
    elif event.type == "transfer.reversed":
        return transfers.reversed_(record.profile, data, event)
    elif change := FOLDS.get(event.type):
        change(record.profile, data, event.at)
    return None
