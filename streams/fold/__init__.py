"""How an event changes a record besides its windows: one function for each type that does."""

from collections.abc import Callable
from typing import Any

from schemas.activity import ActivitySection
from schemas.profile import ProfileSection
from schemas.record import Record
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
}
"""Event type → fold(profile, data, event time)."""
VISITS: dict[str, Callable[[ActivitySection, Any, int], None]] = {
    "logged.in": visits.logged_in,
    "page.viewed": visits.page_viewed,
}
"""Event type → fold(activity, data, event time)."""


def fold(record: Record, event: Input, *, late: bool) -> Input | None:
    """Apply one event, in place; what does not change the profile leaves it undecoded.

    Returns the completed transfer that a reversal takes back and that windows still hold, if any.
    """
    data: Any = event.event.data
    if visit := VISITS.get(event.type):
        visit(record.activity, data, event.at)
    elif event.type == "transfer.completed":
        transfers.completed(record.activity, data, event.at, late=late)
    elif event.type == "transfer.reversed":
        return transfers.reversed_(record.activity, data, event)
    elif change := FOLDS.get(event.type):
        change(record.edit_profile(), data, event.at)
    return None
