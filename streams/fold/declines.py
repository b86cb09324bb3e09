"""The last card payments that were refused: who looks at a complaint wants to see them."""

from bisect import bisect_left

from msgspec import Raw

from schemas.activity import ActivitySection, Decline, unpack_declines
from schemas.events.card import CardDeclinedData
from schemas.packed import pack
from streams.fold.bounded import count_dropped, cut
from streams.months import Moment

MAX_DECLINES = 5
_NAME_BYTES = 40


def declined(activity: ActivitySection, data: CardDeclinedData, when: Moment) -> None:
    """Put a refusal into its place; the oldest gives way."""
    decline = Decline(
        when.at,
        cut(data.card),
        data.amount,
        data.currency,
        cut(data.merchant or "", _NAME_BYTES),
        data.category,
        data.country,
        cut(data.reason, _NAME_BYTES),
    )
    kept = unpack_declines(activity.declines)
    kept.insert(bisect_left(kept, decline), decline)
    if len(kept) > MAX_DECLINES:
        del kept[0]
        count_dropped(activity.dropped, "declines")
    activity.declines = Raw(pack(kept))
