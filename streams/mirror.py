"""Relations as the other customer sees them.

A step changes one customer's record alone: what it has to tell another one becomes an event of that
one on `vip.internal`, sent with the chunk's effects. Its id derives from the event that it mirrors,
so a replay tells the same event again, and it counts once.
"""

from msgspec import Struct, structs

from schemas.decode import encode_event
from schemas.envelope import Event
from schemas.events.core import RelationAdded, RelationRemoved
from streams.effects import SOURCE
from streams.identity import derive_id
from streams.inputs import Input

MIRRORED = frozenset({"relation.added", "relation.removed"})
"""The event types that another customer may be told of."""


class Told(Struct, frozen=True, gc=False):
    """What a step tells another customer."""

    customer: str
    value: bytes
    """The event as it is sent."""


def is_mirror(event: Input) -> bool:
    """Whether an event tells what another customer's says."""
    return isinstance(event.event, RelationAdded | RelationRemoved) and event.event.data.reverse


def mirrored(event: Input) -> Told | None:
    """What the other customer is told of an event; None if it is a mirror itself."""
    said = event.event
    if not isinstance(said, RelationAdded | RelationRemoved) or is_mirror(event):
        return None
    told: Event = structs.replace(
        said,
        id=derive_id("mirror", said.source, said.id, said.data.other),
        source=SOURCE,
        subject=said.data.other,
        data=structs.replace(said.data, other=said.subject, reverse=True),
    )
    return Told(said.data.other, encode_event(told))
