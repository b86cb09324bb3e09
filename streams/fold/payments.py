"""What is paid with cards, and its reversals, whole or in part."""

from schemas.activity import ActivitySection
from streams.fold.reversals import Came, Kind, TakenBack
from streams.inputs import Input

MAX_PAYMENTS = 24
"""Events of payments that are kept, two each. A reversal of an older one corrects months and what
was paid with the card, but leaves the windows as they were."""
_KEPT = (
    "payment",
    "card",
    "amount",
    "currency",
    "base_amount",
    "merchant",
    "category",
    "country",
    "presence",
)
_PAYMENTS = Kind("card.reversed", _KEPT)


def paid(activity: ActivitySection, event: Input, *, late: bool) -> Came | None:
    """Keep a payment's event. Returns what was taken back of it before it came."""
    return _PAYMENTS.put(activity.payments, MAX_PAYMENTS, event, late=late, era=activity.era)


def reversed_(activity: ActivitySection, event: Input) -> TakenBack | None:
    """What is taken back; None if all of the payment was before."""
    return _PAYMENTS.take_back(activity.payments, MAX_PAYMENTS, event)
