"""Transfers in both directions, and their reversals."""

from decimal import Decimal

from schemas.activity import ActivitySection, Flow, Reversible
from schemas.events.core import TransferData, TransferReversedData
from schemas.record import Record
from streams.base_amounts import told
from streams.fold.reversals import Came, Kind, TakenBack
from streams.inputs import Input

MAX_TRANSFERS = 12
"""Transfers that are kept. A reversal of an older one corrects the totals, but leaves the windows
as they were."""
_KEPT = (
    "transfer",
    "account",
    "direction",
    "amount",
    "currency",
    "base_amount",
    "counterparty_bank",
    "counterparty_country",
    "channel",
    "purpose",
)
"""All but the counterparty's name."""
_BASE_AMOUNT = _KEPT.index("base_amount")
_CHANNEL = _KEPT.index("channel")
_TRANSFERS = Kind("transfer.reversed", _KEPT)
NO_CHANNEL = "none"


def completed(record: Record, data: TransferData, event: Input, *, late: bool) -> Came | None:
    """Count a transfer and keep it. Returns its reversal if that came before it."""
    activity = record.activity
    flow = _flow(activity, data.direction)
    flow.count += 1
    flow.last_at = max(flow.last_at, event.at)
    era = activity.era
    came = _TRANSFERS.put(record.transfers, MAX_TRANSFERS, event, late=late, era=era)
    if came is None or came.reversal is None:
        flow.base_total += told(data.base_amount)
    else:
        # What the reversal took away, which may have been reckoned at another rate.
        flow.base_total += base_amount(came.reversal)
    return came


def reversed_(record: Record, data: TransferReversedData, event: Input) -> TakenBack | None:
    """Correct the totals, once for each transfer; None if that was done before."""
    taken = _TRANSFERS.take_back(record.transfers, MAX_TRANSFERS, event)
    if taken is not None:
        flow = _flow(record.activity, data.direction)
        flow.reversed += 1
        flow.base_total -= base_taken(taken, data)
    return taken


def base_taken(taken: TakenBack, data: TransferReversedData) -> Decimal:
    """In the base currency: of the transfer where it is kept, else as the reversal tells it."""
    return told(data.base_amount) if taken.kept is None else base_amount(taken.kept)


def channel(transfer: Reversible) -> str:
    return transfer.data[_CHANNEL] or NO_CHANNEL


def kept_fields(transfer: Reversible) -> dict[str, str | None]:
    """What is kept of a transfer, by the names of its event's fields."""
    return dict(zip(_KEPT, transfer.data, strict=False))


def base_amount(transfer: Reversible) -> Decimal:
    """As it was added: a reversal may have been reckoned at another rate."""
    return Decimal(transfer.data[_BASE_AMOUNT] or 0)


def _flow(activity: ActivitySection, direction: str) -> Flow:
    return activity.inflow if direction == "in" else activity.outflow
