"""Transfers in both directions, and their reversals."""

import msgspec

from schemas.events.core import TransferCompleted, TransferData, TransferReversedData
from schemas.record import Flow, ProfileSection, Transfer
from streams.fold.bounded import count_dropped
from streams.inputs import Input

MAX_TRANSFERS = 12
"""A reversal of an older one corrects the totals, but leaves the windows as they were."""


def completed(profile: ProfileSection, data: TransferData, at: int, *, late: bool) -> None:
    flow = _flow(profile, data.direction)
    flow.count += 1
    flow.base_total += data.base_amount
    flow.last_at = max(flow.last_at, at)
    kept = msgspec.structs.replace(data, counterparty_name=None)
    profile.transfers.append(Transfer(at=at, data=kept, late=late))
    if len(profile.transfers) > MAX_TRANSFERS:
        del profile.transfers[0]
        count_dropped(profile, "transfers")


def reversed_(profile: ProfileSection, data: TransferReversedData, event: Input) -> Input | None:
    """Correct the totals. Returns the reversed transfer as an input, if windows hold it."""
    found = next((t for t in profile.transfers if t.data.transfer == data.transfer), None)
    if found is not None and found.reversed:
        return None
    flow = _flow(profile, data.direction)
    flow.reversed += 1
    flow.base_total -= data.base_amount
    if found is None:
        return None
    found.reversed = True
    return None if found.late else _as_input(found, event)


def _as_input(transfer: Transfer, reversal: Input) -> Input:
    event = TransferCompleted(
        specversion="1.0",
        id=transfer.data.transfer,
        source=reversal.event.source,
        subject=reversal.event.subject,
        time=reversal.event.time,
        data=transfer.data,
    )
    return msgspec.structs.replace(reversal, event=event, type="transfer.completed", at=transfer.at)


def _flow(profile: ProfileSection, direction: str) -> Flow:
    return profile.inflow if direction == "in" else profile.outflow
