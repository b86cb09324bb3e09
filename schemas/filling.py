"""What fills windows with what happened before their rule came into force.

`vipcare rules warm` sends each customer's share on `vip.internal`, keyed as the customer's events
are, and behind all of them one message to each partition that says that it has them. They are
CloudEvents of a type of their own, which no bank sends and no rule listens to.
"""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from schemas.envelope import EventId

FILL_TYPE = "windows.filled"
PARTITION_KEY = b"\x00windows"
"""Of a message to a partition. No customer id begins with a control character."""


class FillData(Struct, frozen=True, kw_only=True):
    numbers: dict[str, int]
    """The keys of states → the number of the chunk that began them, see Position.reach: filled is
    what came before that one."""
    since: int
    """What happened from here on is in the states, epoch milliseconds."""
    states: dict[str, bytes] = {}
    """Those that are not empty, as msgpack."""


class Fill(Struct, frozen=True, kw_only=True, tag_field="type", tag=FILL_TYPE):
    id: EventId
    source: EventId
    subject: str
    """The customer; empty: all customers of the partition have theirs."""
    time: datetime
    data: FillData
    specversion: Literal["1.0"] = "1.0"
    datacontenttype: Literal["application/json"] = "application/json"

    def __repr__(self) -> str:
        """Coordinates only: the states may identify a person."""
        return f"Fill(id={self.id!r})"


encode_fill = msgspec.json.Encoder().encode
decode_fill = msgspec.json.Decoder(Fill).decode
"""Raises msgspec.MsgspecError and UnicodeError."""
