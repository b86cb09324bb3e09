"""Every event type: one struct each, together one tagged union."""

from typing import get_args

from schemas.envelope import Event
from schemas.events.app import AppEvents
from schemas.events.campaign import BROADCAST_TYPES
from schemas.events.card import CardEvents
from schemas.events.core import CoreEvents
from schemas.events.feedback import FeedbackEvents
from schemas.events.service import ServiceEvents

AnyEvent = CoreEvents | CardEvents | AppEvents | ServiceEvents | FeedbackEvents

EVENT_TYPES: dict[str, type[Event]] = {cls.event_type(): cls for cls in get_args(AnyEvent)}
"""CloudEvents `type` → its struct, in the order of the topics."""

REVERSIBLE = frozenset(
    kind for cls in EVENT_TYPES.values() if cls.takes_back for kind in cls.takes_back.types
)
"""Those that another one may take back."""

RULE_TYPES: dict[str, type[Event]] = {**EVENT_TYPES, **BROADCAST_TYPES}
"""What a rule can listen to."""

INTERNAL = "vip.internal"
"""What vipcare itself sends to a customer: replayed dead letters among it."""

INPUT_TOPICS = (*dict.fromkeys(cls.topic for cls in EVENT_TYPES.values()), INTERNAL)
"""What is keyed by customer and holds events: read by the partition runners and the sink."""
