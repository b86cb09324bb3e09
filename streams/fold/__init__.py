"""How an event changes a record besides its windows: one function for each type that does."""

from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from functools import partial
from typing import Any, NamedTuple

from schemas.activity import ActivitySection, Month
from schemas.profile import ProfileSection
from schemas.record import Record
from streams import behaviour
from streams.base_amounts import told
from streams.fold import (
    accounts,
    basics,
    cards,
    care,
    declines,
    deposits,
    interests,
    monthly,
    payments,
    products,
    relations,
    service_line,
    transfers,
    visits,
)
from streams.fold.reversals import Came
from streams.inputs import Correction, Input
from streams.months import Moment, moment

ASSET_FOLDS: dict[str, Callable[[ProfileSection, Any, Moment], None]] = {
    "account.opened": accounts.opened,
    "account.closed": accounts.closed,
    "balance.reported": accounts.balance_reported,
    "deposit.placed": deposits.placed,
    "deposit.renewed": deposits.placed,
    "deposit.redeemed": deposits.redeemed,
    "product.purchased": products.purchased,
    "product.redeemed": products.redeemed,
    "loan.drawn": products.drawn,
    "loan.repaid": products.repaid,
}
"""Event type → fold(profile, data, moment), of what the customer has with the bank, or owes it."""
PROFILE_FOLDS: dict[str, Callable[[ProfileSection, Any, Moment], None]] = {
    "customer.updated": basics.customer_updated,
    "tag.added": basics.tag_added,
    "tag.removed": basics.tag_removed,
    "card.issued": cards.issued,
    "card.limit_changed": cards.limit_changed,
    "statement.issued": cards.statement_issued,
    "relation.added": relations.added,
    "relation.removed": relations.removed,
    "interest.recorded": interests.recorded,
    "benefit.used": interests.used,
}
"""Likewise, of all else that is known of the customer: no total changes."""
ACTIVITY_FOLDS: dict[str, Callable[[ActivitySection, Any, Moment], None]] = {
    "logged.in": visits.logged_in,
    "page.viewed": visits.page_viewed,
    "journey.started": partial(visits.journey, stage=0),
    "journey.completed": partial(visits.journey, stage=1),
    "journey.abandoned": partial(visits.journey, stage=2),
    "card.declined": declines.declined,
}
"""Event type → fold(activity, data, moment)."""
PAYMENTS = frozenset(("card.authorised", "card.settled", "card.reversed"))


class Folded(NamedTuple):
    """What follows from a fold."""

    corrections: Sequence[Correction] = ()
    """Of the events that this one takes back: for the windows, before its rules."""
    after: Input | None = None
    """The event itself, of which the reversal came first: to be taken out after its rules, unless
    it came too late for the windows."""
    left: Input | None = None
    """The event as its rules see it: a part was taken back before it came."""
    month_began: bool = False
    """It is the first event of the record's newest month."""


_PLAIN = Folded()


def fold(record: Record, event: Input, *, late: bool, zone: tzinfo = UTC) -> Folded:
    """Apply one event, in place; what does not change the profile leaves it undecoded."""
    data: Any = event.event.data
    activity, kind = record.activity, event.type
    when = moment(event.at, zone)
    grows, corrected = when.month not in activity.months, False
    month = monthly.month_of(record, when)
    if month is not None and (count := monthly.COUNTS.get(kind)):
        count(month, data, when)
    folded = _PLAIN
    if change := ACTIVITY_FOLDS.get(kind):
        change(activity, data, when)
    elif asset_change := ASSET_FOLDS.get(kind):
        asset_change(record.edit_assets(), data, when)
    elif profile_change := PROFILE_FOLDS.get(kind):
        profile_change(record.edit_profile(), data, when)
    elif kind in PAYMENTS:
        folded = _paid(record, month, event, when, late=late)
    elif kind == "transfer.completed":
        came = transfers.completed(record, data, event, late=late)
        if came is not None and came.reversal is not None:
            folded = _came_back(came, event)
            monthly.was_reversed(record, data, came.reversal, zone)
            corrected = True
    elif kind == "transfer.reversed":
        taken = transfers.reversed_(record, data, event)
        if taken is not None:
            folded = Folded(taken.corrections)
            corrected = monthly.transfer_reversed(record, month, data, taken)
    elif kind in service_line.CONTACT_TYPES:
        _served(activity, event)
    is_newest = event.at == activity.latest or when.month == max(activity.months)
    if corrected or (month is not None and (grows or not is_newest)):
        behaviour.update(record)
    return folded._replace(month_began=True) if grows and is_newest else folded


def _served(activity: ActivitySection, event: Input) -> None:
    if event.type == "question.asked":
        activity.visits.questions += 1
    if event.type in care.CARE_TYPES:
        care.reported(activity.care, event.type, event.event.data, event.at)
    if (contact := service_line.contact_of(event)) is not None:
        service_line.enter(activity, contact)


def _paid(record: Record, month: Month | None, event: Input, when: Moment, *, late: bool) -> Folded:
    data: Any = event.event.data
    activity, base = record.activity, told(data.base_amount)
    if event.type == "card.reversed":
        taken = payments.reversed_(record, event)
        if taken is None:
            return _PLAIN
        cards.paid(activity, data.card, -base, when)
        if month is not None:
            monthly.payment_reversed(month, data)
        return Folded(taken.corrections)
    if event.type == "card.authorised":
        cards.paid(activity, data.card, base, when)
    came = payments.paid(record, event, late=late)
    return _PLAIN if came is None else _came_back(came, event)


def _came_back(came: Came, event: Input) -> Folded:
    """Of an event that was taken back before it came, wholly or in part."""
    if came.left is not None:
        return Folded(left=came.left)
    return Folded(after=event)
