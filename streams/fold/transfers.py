"""Transfers in both directions, and their reversals."""

from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

import msgspec

from schemas.activity import ActivitySection, Flow, Transfer, pack_transfer, unpack_transfer
from schemas.events.core import TransferCompleted, TransferData, TransferReversedData
from streams.base_amounts import told
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
"""The fields of a kept transfer, by their places: all but the counterparty's name. New ones go to
the end."""
_BASE_AMOUNT = _KEPT.index("base_amount")
_DIRECTION = _KEPT.index("direction")
_CHANNEL = _KEPT.index("channel")
_values = attrgetter(*_KEPT)


NO_CHANNEL = "none"


class TakenBack(NamedTuple):
    """What the first reversal of a transfer takes back."""

    base: Decimal
    """In the base currency: of the transfer where it is kept, else as the reversal tells it."""
    channel: str | None
    """Of the transfer; None where it is not kept."""
    held: Input | None
    """The transfer, if windows hold it."""
    era: int = 0
    """The record's when that came."""


def completed(
    activity: ActivitySection, data: TransferData, event: Input, *, late: bool
) -> Transfer | None:
    """Count a transfer and keep it. Returns its reversal if that came before it."""
    flow = _flow(activity, data.direction)
    flow.count += 1
    flow.last_at = max(flow.last_at, event.at)
    place, known = _find(activity, data)
    reversal = known if known is not None and known.reversed else None
    if reversal is None:
        flow.base_total += told(data.base_amount)
    else:
        # What the reversal took away, which may have been reckoned at another rate.
        flow.base_total += base_amount(reversal)
        del activity.transfers[place]
    is_reversed = reversal is not None
    one = Transfer(
        at=event.at, data=_values(data), late=late, reversed=is_reversed, era=activity.era
    )
    _keep(activity, one)
    return reversal


def reversed_(
    activity: ActivitySection, data: TransferReversedData, event: Input
) -> TakenBack | None:
    """Correct the totals, once for each transfer; None if that was done before."""
    place, found = _find(activity, data)
    if found is not None and found.reversed:
        return None
    flow = _flow(activity, data.direction)
    base = told(data.base_amount) if found is None else base_amount(found)
    flow.reversed += 1
    flow.base_total -= base
    if found is None:
        # The transfer may still come: then it is reversed already.
        _keep(activity, Transfer(at=event.at, data=_told(data), reversed=True))
        return TakenBack(base, None, None)
    found.reversed = True
    activity.transfers[place] = pack_transfer(found)
    held = None if found.late else _as_input(found, event)
    return TakenBack(base, found.data[_CHANNEL] or NO_CHANNEL, held, found.era)


def kept_fields(transfer: Transfer) -> dict[str, str | None]:
    """What is kept of a transfer, by the names of its event's fields."""
    return dict(zip(_KEPT, transfer.data, strict=False))


def direction(transfer: Transfer) -> str:
    return transfer.data[_DIRECTION] or ""


def base_amount(transfer: Transfer) -> Decimal:
    """As it was added: a reversal may have been reckoned at another rate."""
    return Decimal(transfer.data[_BASE_AMOUNT] or 0)


def _told(data: TransferReversedData) -> tuple[str | None, ...]:
    return tuple(getattr(data, name, None) for name in _KEPT)


def _keep(activity: ActivitySection, transfer: Transfer) -> None:
    """Put a transfer into its place by time, id and direction; the oldest gives way."""
    transfers = activity.transfers
    place = len(transfers)
    while place and _order(transfer) < _order(unpack_transfer(transfers[place - 1])):
        place -= 1
    transfers.insert(place, pack_transfer(transfer))
    if len(transfers) > MAX_TRANSFERS:
        del transfers[0]


def _order(transfer: Transfer) -> tuple[int, str | None, str]:
    return transfer.at, transfer.data[0], direction(transfer)


def _find(
    activity: ActivitySection, data: TransferData | TransferReversedData
) -> tuple[int, Transfer | None]:
    """The kept transfer of this id and direction, with its place: between own accounts, both legs
    may have one id."""
    encoded = data.transfer.encode()
    for place, packed in enumerate(activity.transfers):
        if encoded in packed:
            found = unpack_transfer(packed)
            if found.data[0] == data.transfer and direction(found) == data.direction:
                return place, found
    return -1, None


def _as_input(transfer: Transfer, reversal: Input) -> Input:
    data = msgspec.convert(kept_fields(transfer), TransferData)
    event = TransferCompleted(
        specversion="1.0",
        id=data.transfer,
        source=reversal.event.source,
        subject=reversal.event.subject,
        time=reversal.event.time,
        data=data,
    )
    return msgspec.structs.replace(reversal, event=event, type="transfer.completed", at=transfer.at)


def _flow(activity: ActivitySection, direction: str) -> Flow:
    return activity.inflow if direction == "in" else activity.outflow
