"""What is paid with cards, and its reversals, whole or in part."""

from schemas.record import Record
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


def paid(record: Record, event: Input, *, late: bool) -> Came | None:
    """Keep a payment's event. Returns what was taken back of it before it came."""
    era = record.activity.era
    return _PAYMENTS.put(record.payments, MAX_PAYMENTS, event, late=late, era=era)


def reversed_(record: Record, event: Input) -> TakenBack | None:
    """What is taken back; None if all of the payment was before."""
    return _PAYMENTS.take_back(record.payments, MAX_PAYMENTS, event)
