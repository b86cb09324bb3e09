"""What the customer did in each month: how often, how much, on which channels, for what."""

from bisect import insort
from collections.abc import Callable
from datetime import tzinfo
from decimal import Decimal
from typing import Any
from zlib import crc32

from msgspec import structs

from schemas.activity import Inflow, Month, Reversible, Sum
from schemas.events.card import PaymentData
from schemas.events.core import TransferData, TransferReversedData
from schemas.record import Record
from streams.base_amounts import told
from streams.fold import transfers
from streams.fold.bounded import count_dropped, cut, gather
from streams.fold.reversals import TakenBack
from streams.fold.service_line import CONTACT_TYPES
from streams.history import MONTHS
from streams.months import Moment, day_of, moment

MAX_MONTHLY_CHANNELS = 8
MAX_CATEGORIES = 16
MAX_INFLOWS = 6

_PURPOSE_BYTES = 24


def month_of(record: Record, when: Moment) -> Month | None:
    """The month that an event counts for, one event the more; None if it is too long ago."""
    months = record.months
    month = months.edited.get(when.month) or months.edit(when.month)
    if month is None:
        if when.month <= max(months, default=0) - MONTHS:
            count_dropped(record.activity.dropped, "months")
            return None
        month = months.put(when.month, Month())
        for old in [one for one in months if one <= max(months) - MONTHS]:
            gone = months.get(old)
            count_dropped(record.activity.dropped, "months", gone.events if gone else 0)
            months.remove(old)
    month.events += 1
    return month


def payment_reversed(month: Month, data: PaymentData) -> None:
    """Whole or in part: taken back in the month of the reversal."""
    _spend(month, data, -1)


def transfer_reversed(
    record: Record,
    month: Month | None,
    data: TransferReversedData,
    taken: TakenBack,
) -> bool:
    """Taken back in the month of the reversal: what was is not told anew. But what was taken back
    is no regular inflow: returns whether it was among those that might be."""
    if month is not None:
        base = transfers.base_taken(taken, data)
        _add(_flow(month, data.direction), -1, -base)
        if taken.kept is not None:
            _add_channel(month, transfers.channel(taken.kept), -1, -base)
    return data.direction == "in" and _strike(record, data.transfer)


def was_reversed(record: Record, data: TransferData, reversal: Reversible, zone: tzinfo) -> None:
    """A transfer of which the reversal came first, and took back what it told of it then."""
    month = record.months.edit(moment(reversal.at, zone).month)
    if month is not None:
        took, takes = transfers.base_amount(reversal), told(data.base_amount)
        _add(_flow(month, data.direction), 0, took - takes)
        _add_channel(month, data.channel or transfers.NO_CHANNEL, -1, -takes)
    if data.direction == "in":
        _strike(record, data.transfer)


def _strike(record: Record, transfer: str) -> bool:
    """Mark an inflow as reversed. It keeps its place, so that what is kept of a month does not
    depend on when that was told."""
    name, found = crc32(transfer.encode()), False
    for number in record.months:
        month = record.months.get(number)
        for place, one in enumerate(month.inflows if month else ()):
            if one.name == name and (edited := record.months.edit(number)):
                edited.inflows[place] = structs.replace(one, reversed=True)
                found = True
    return found


def _transfer(month: Month, data: TransferData, when: Moment) -> None:
    base = told(data.base_amount)
    _add_channel(month, data.channel or transfers.NO_CHANNEL, 1, base)
    if data.direction == "out":
        _add(month.outflow, 1, base)
        return
    _add(month.inflow, 1, base)
    if data.counterparty_name:  # else nobody knows whether it is the sender of another one
        _keep_inflow(month.inflows, data, base, when)


def _keep_inflow(kept: list[Inflow], data: TransferData, base: Decimal, when: Moment) -> None:
    """If it is among the largest."""
    if len(kept) == MAX_INFLOWS and base < kept[0].amount:
        return
    sender = f"{data.counterparty_name}|{data.counterparty_bank}|{data.account}"
    name, purpose = crc32(data.transfer.encode()), cut(data.purpose or "", _PURPOSE_BYTES)
    insort(kept, Inflow(base, name, day_of(when), crc32(sender.encode()), purpose))
    del kept[:-MAX_INFLOWS]


def _authorised(month: Month, data: PaymentData, _when: Moment) -> None:
    _spend(month, data, 1)


def _settled(month: Month, data: PaymentData, _when: Moment) -> None:
    _add(month.settled, 1, told(data.base_amount))


def _declined(month: Month, _data: Any, _when: Moment) -> None:
    month.declined += 1


def _login(month: Month, _data: Any, _when: Moment) -> None:
    month.logins += 1


def _page(month: Month, _data: Any, _when: Moment) -> None:
    month.pages += 1


def _contact(month: Month, _data: Any, _when: Moment) -> None:
    month.contacts += 1


def _add_channel(month: Month, channel: str, times: int, base: Decimal) -> None:
    _add_in(month.channels, cut(channel), times, base, MAX_MONTHLY_CHANNELS)


def _flow(month: Month, direction: str) -> Sum:
    return month.inflow if direction == "in" else month.outflow


def _spend(month: Month, data: PaymentData, times: int) -> None:
    base = times * told(data.base_amount)
    _add(month.spent, times, base)
    _add_in(month.channels, f"card {data.presence}", times, base, MAX_MONTHLY_CHANNELS)
    _add_in(month.categories, data.category, times, base, MAX_CATEGORIES)


def _add(total: Sum, times: int, base: Decimal) -> None:
    total.count += times
    total.total += base


def _add_in(sums: dict[str, Sum], name: str, times: int, base: Decimal, limit: int) -> None:
    found = sums.get(name)
    if found is None:
        sums[name] = Sum(times, base)
        if len(sums) > limit:
            gather(sums, name, limit, Sum, _together)
    else:
        found.count += times
        found.total += base


def _together(one: Sum, other: Sum) -> Sum:
    return Sum(one.count + other.count, one.total + other.total)


COUNTS: dict[str, Callable[[Month, Any, Moment], None]] = {
    "transfer.completed": _transfer,
    "card.authorised": _authorised,
    "card.settled": _settled,
    "card.declined": _declined,
    "logged.in": _login,
    "page.viewed": _page,
    **dict.fromkeys(CONTACT_TYPES, _contact),
}
"""Event type → count(month, data, moment): everything but reversals, of which only those count that
take something back, see above."""
