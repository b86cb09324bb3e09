"""What may be taken back: the last events of such types, kept as they came, so that a reversal
takes the right one out of the windows again. Which type takes back which, stands beside the types
(`takes_back` in schemas/events).

A reversal may come before its event; then it is kept in its place until that comes.

**In parts.** Of a payment more than one event tells (authorised, settled), and a reversal may be of
a part of it. Of each event that is not younger than the reversal is left what its amount is more
than all that was taken back; in another currency, or of no amount above zero, it takes back the
whole. What is left stands in the windows instead of the event, and the base amount with it, in the
same share. So it does not depend on the order in which events and reversals come.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple, get_type_hints

import msgspec
from msgspec import structs

from schemas.activity import REVERSAL, Part, Reversible, unpack_reversible, unpack_time
from schemas.envelope import Data, Event
from schemas.events import EVENT_TYPES
from schemas.fields import MONEY_DECIMALS
from schemas.reversibles import Reversibles
from streams.base_amounts import told
from streams.inputs import Correction, Input

KEPT_BYTES = 8 * 1024
"""So much do the events that one type takes back weigh; of more the oldest give way."""
KEPT_PARTS = 6
"""Of more reversals of one payment the last are no longer followed."""
_UNIT = Decimal(1).scaleb(-MONEY_DECIMALS)


class TakenBack(NamedTuple):
    """What a reversal takes back."""

    kept: Reversible | None
    """An event of that name, as it is kept; None where none is."""
    corrections: Sequence[Correction]
    """Of those that windows hold."""


class Came(NamedTuple):
    """What was taken back of an event before it came."""

    reversal: Reversible | None
    """As it was kept; or another event of that name, of which it was told."""
    left: Input | None
    """The event with what is left of it; None: nothing."""


class Kind:
    """Events that one type takes back. `fields` are what is kept of them, by their places: the name
    first, new ones at the end."""

    def __init__(self, reversal: str, fields: tuple[str, ...]) -> None:
        takes_back = EVENT_TYPES[reversal].takes_back
        assert takes_back is not None, f"{reversal} takes nothing back"
        self.types, self.named_by, self.in_parts = takes_back
        assert fields[0] == self.named_by[0]
        self.fields = fields
        self._events = [EVENT_TYPES[one] for one in self.types]
        self._data = [_data_of(one) for one in self._events]
        self._values: Callable[[Data], tuple[Any, ...]] = attrgetter(*fields)
        self._names = [fields.index(name) for name in self.named_by]
        self._amount, self._currency = fields.index("amount"), fields.index("currency")

    def put(
        self, kept: Reversibles, most: int, event: Input, *, late: bool, era: int
    ) -> Came | None:
        """Keep an event. Returns what was taken back of it before, if something was."""
        values, kind = self._values(event.event.data), self.types.index(event.type)
        one = Reversible(at=event.at, data=values, late=late, era=era, type=kind)
        came = self._came(kept, one, event) if values[0] in kept.taken else None
        self._keep(kept, most, one)
        return came

    def _came(self, kept: Reversibles, one: Reversible, event: Input) -> Came | None:
        """What was taken back of an event before it came: it is noted in `one`, which is put in the
        place of the reversal."""
        place, before = next(self._named(kept, event.event.data), (-1, None))
        if before is None or not (before.reversed or before.parts):
            return None
        one.reversed, one.parts = before.reversed, before.parts
        if before.reversed or before.type == REVERSAL:
            kept.remove(place)
        return Came(before, self._left(one, event)) if _is_touched(one) else None

    def take_back(self, kept: Reversibles, most: int, reversal: Input) -> TakenBack | None:
        """Take back what has the reversal's names. None if all of it was before: then it tells
        nothing, but of events of that name that are still to come."""
        data = reversal.event.data
        found = list(self._named(kept, data))
        if not found:
            values = tuple(getattr(data, name, None) for name in self.fields)
            one = Reversible(at=reversal.at, data=values, type=REVERSAL)
            self._take(one, reversal)
            self._keep(kept, most, one)
            return TakenBack(None, ())
        is_gone = self._is_gone([one for _, one in found], reversal.at)
        corrections = []
        for place, one in found:
            original = None if one.type == REVERSAL or one.late else self._input(one, reversal)
            before = original and self._left(one, original)
            self._take(one, reversal)
            after = original and self._left(one, original)
            if before is not None and after is not before:
                corrections.append(Correction(before, after, one.era))
            kept.change(place, one)
        return None if is_gone else TakenBack(found[0][1], corrections)

    def _take(self, one: Reversible, reversal: Input) -> None:
        if not self.in_parts:
            one.reversed = True
        elif len(one.parts) < KEPT_PARTS:
            data: Any = reversal.event.data
            currency = data.currency if data.amount > 0 else ""
            one.parts.append(Part(reversal.at, currency, data.amount))
            one.parts.sort(key=lambda part: (part.at, part.currency, part.amount))

    def _is_gone(self, found: Sequence[Reversible], at: int) -> bool:
        """Whether nothing was left up to a time before the reversal came."""
        if not self.in_parts:
            return found[0].reversed
        older = [one for one in found if one.type != REVERSAL and one.at <= at]
        return bool(older) and all(
            _is_touched(one) and self._amount_left(one) is None for one in older
        )

    def _left(self, one: Reversible, event: Input) -> Input | None:
        """An event with what is left of it; itself if that is all; None if nothing is."""
        if one.reversed:
            return None
        if not _is_touched(one):
            return event
        left = self._amount_left(one)
        if left is None:
            return None
        data: Any = event.event.data
        share = (told(data.base_amount) * left / data.amount).quantize(_UNIT)
        data = structs.replace(data, amount=left, base_amount=share)
        return structs.replace(event, event=structs.replace(event.event, data=data))

    def _amount_left(self, one: Reversible) -> Decimal | None:
        amount, currency = Decimal(one.data[self._amount] or 0), one.data[self._currency]
        parts = [part for part in one.parts if part.at >= one.at]
        left = amount - sum(part.amount for part in parts)
        return left if left > 0 and all(part.currency == currency for part in parts) else None

    def _named(self, kept: Reversibles, data: Any) -> Iterator[tuple[int, Reversible]]:
        """The kept ones of the same names, with their places, the last first."""
        names = [getattr(data, name) for name in self.named_by]
        encoded = names[0].encode()
        for place in range(len(kept.packed) - 1, -1, -1):
            packed = kept.packed[place]
            if encoded in packed:
                found = unpack_reversible(packed)
                if [found.data[field] for field in self._names] == names:
                    yield place, found

    def _keep(self, kept: Reversibles, most: int, one: Reversible) -> None:
        """Put it into its place by time and names; the oldest gives way."""
        place = len(kept.packed)
        while place and self._is_before(one, kept.packed[place - 1]):
            place -= 1
        kept.insert(place, one)
        while len(kept.packed) > most or kept.size > KEPT_BYTES:
            kept.remove(0)

    def _is_before(self, one: Reversible, packed: bytes) -> bool:
        at = unpack_time(packed).at
        if at != one.at:  # nearly always
            return one.at < at
        return self._order(one) < self._order(unpack_reversible(packed))

    def _order(self, one: Reversible) -> tuple[Any, ...]:
        return one.at, *(one.data[field] for field in self._names), one.type

    def _input(self, one: Reversible, reversal: Input) -> Input:
        """The event as it came. It has another id: what is kept does not tell its own."""
        given = dict(zip(self.fields, one.data, strict=False))
        data = msgspec.convert(given, self._data[one.type])
        at_hand = reversal.event
        event = self._events[one.type](
            specversion="1.0",
            id=at_hand.id,
            source=at_hand.source,
            subject=at_hand.subject,
            time=at_hand.time,
            data=data,
        )
        kind = self.types[one.type]
        return structs.replace(reversal, event=event, type=kind, at=one.at)


def _is_touched(one: Reversible) -> bool:
    return one.reversed or any(part.at >= one.at for part in one.parts)


def _data_of(event: type[Event]) -> type[Data]:
    data: type[Data] = get_type_hints(event)["data"]
    return data
