"""Transfers in both directions, and their reversals."""

from decimal import Decimal
from operator import attrgetter

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
_values = attrgetter(*_KEPT)


def completed(activity: ActivitySection, data: TransferData, at: int, *, late: bool) -> None:
    flow = _flow(activity, data.direction)
    flow.count += 1
    flow.base_total += told(data.base_amount)
    flow.last_at = max(flow.last_at, at)
    transfers = activity.transfers
    transfers.append(pack_transfer(Transfer(at=at, data=_values(data), late=late)))
    if len(transfers) > MAX_TRANSFERS:
        del transfers[0]


def reversed_(activity: ActivitySection, data: TransferReversedData, event: Input) -> Input | None:
    """Correct the totals. Returns the reversed transfer as an input, if windows hold it."""
    place, found = _find(activity, data.transfer)
    if found is not None and found.reversed:
        return None
    flow = _flow(activity, data.direction)
    flow.reversed += 1
    flow.base_total -= told(data.base_amount) if found is None else _base_amount(found)
    if found is None:
        return None
    found.reversed = True
    activity.transfers[place] = pack_transfer(found)
    return None if found.late else _as_input(found, event)


def kept_fields(transfer: Transfer) -> dict[str, str | None]:
    """What is kept of a transfer, by the names of its event's fields."""
    return dict(zip(_KEPT, transfer.data, strict=False))


def _find(activity: ActivitySection, transfer: str) -> tuple[int, Transfer | None]:
    """The oldest kept transfer of this id, with its place."""
    for place, packed in enumerate(activity.transfers):
        found = unpack_transfer(packed)
        if found.data[0] == transfer:
            return place, found
    return -1, None


def _base_amount(transfer: Transfer) -> Decimal:
    """As it was added: a reversal may have been reckoned at another rate."""
    return Decimal(transfer.data[_BASE_AMOUNT] or 0)


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
