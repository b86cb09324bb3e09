"""The position of a partition runner: what it has done, and with what.

Its latest is a reserved key of the changelog; all of them are the journal, so that an oracle or a
backtest that follows the journal gets the same records and effects.
"""

import msgspec
from msgspec import Struct

JOURNAL_TOPIC = "vip.journal"
POSITION_KEY = b"\x00position"
"""The changelog key of the position. No customer id begins with a control character."""
REACH_KEY = b"\x00reach"
"""The changelog key of how far back the partition's windows reach: written when that changes."""
NOT_YET = -1


class Range(Struct, frozen=True, kw_only=True, gc=False):
    """What was taken of one topic: offsets from `start` up to, not including, `end`."""

    topic_id: str
    """Kafka's id of the topic, empty where the broker has none."""
    start: int
    end: int


class Refusals(Struct, frozen=True, array_like=True, gc=False):
    """A topic's last events, and which of them became dead letters: see streams/refusals.py."""

    events: int = 0
    """How many are remembered."""
    bits: str = ""
    """Hexadecimal, empty for none. The lowest bit is the last event; it is set if that was
    refused."""


class Walk(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How far a partition is with telling its customers, see streams/broadcasts.py."""

    begun: int = 0
    """How many it began."""
    queue: list[str] = []
    """The names of the last ones: those that not every customer was told of yet."""
    after: str = ""
    """Customers up to this one were told of the first in the queue."""


class Since(Struct, frozen=True, array_like=True, gc=False):
    """Since when the windows of one state key are kept, in all records of a partition."""

    time: int
    """What happened from here on is in them, epoch milliseconds; 0: whatever they can hold;
    NOT_YET: the partition's time was not known yet."""
    back: int
    """They are kept to look back so far, milliseconds."""
    number: int
    """Of the chunk that began them: none holds an event of an earlier one; 0: that is not known."""
    filled: bool = False
    """They were filled from history, and can be no more."""
    grown: int = 0
    """The number of the chunk from which on they are kept for longer; 0: they never were."""
    upto: int = 0
    """Then: of what happened up to here they hold only what came since that chunk."""

    @property
    def lack_before(self) -> int:
        """The number of the chunk before which came what they can be filled with."""
        return self.grown or self.number


class Position(Struct, frozen=True, kw_only=True, gc=False):
    partition: int
    number: int
    """Counts the chunks of this partition from 1, without gaps."""
    ranges: dict[str, Range]
    """Topic → its range of this chunk. Every input topic is there; an untouched one has
    `start == end`, its place so far."""
    now: int
    """The bank clock when the chunk was stepped, epoch milliseconds."""
    rules: str
    """The digest of the rules used."""
    partition_time: int = -1
    """Timers up to here were due when the chunk began, epoch milliseconds; it never goes back."""
    changelog: str = ""
    """Kafka's id of the changelog that it was written to, empty where the broker has none."""
    timers: int = 0
    """How many customers, the first by (due, customer), had timers fired at the partition time."""
    facts: dict[str, int] = {}
    """Global topic → the offset up to which its facts were used."""
    register: int = 0
    """The offset up to which `vip.rules` was used; 0: nothing of it, the rules are of files."""
    refusals: dict[str, Refusals] = {}
    """Topic → what was refused of its last events."""
    walk: Walk = Walk()
    """Where it stands with broadcasts after the chunk."""
    reach: dict[str, Since] | None = None
    """How far back windows reach from this chunk on, by the keys of their states; None: as
    before."""
    version: int = 2
    """1: none of them has told of `reach` yet."""

    def ends(self) -> dict[str, int]:
        """Topic → the next offset to take."""
        return {topic: taken.end for topic, taken in self.ranges.items()}


encode_position = msgspec.json.Encoder().encode
decode_position = msgspec.json.Decoder(Position).decode
encode_reach = msgspec.json.Encoder().encode
decode_reach = msgspec.json.Decoder(dict[str, Since]).decode
