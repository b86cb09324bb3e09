"""The ids of a customer's recent events, packed in bytes so that a look is one search.

An entry is 16 bytes: a hash of (source, id), a checksum of (type, time, data), and the event time
in seconds. Newest last; bounded by a count and by a time. A checksum will do: it is looked at only
when two events have one name, and then misses one difference in four thousand million.
"""

from enum import Enum
from hashlib import blake2b
from struct import Struct
from zlib import crc32

import msgspec

from streams.inputs import Input

_NAME_BYTES = 8
_PRINT_BYTES = 12
_SIZE = 16
_pack_print = Struct(f">{_NAME_BYTES}sI").pack
_pack_entry = Struct(f">{_PRINT_BYTES}sI").pack
_seconds_at = Struct(">I").unpack_from
_names = blake2b(digest_size=_NAME_BYTES)
"""Copied for each name: that is less than to set one up."""
_pack = msgspec.msgpack.Encoder(decimal_format="string").encode


class Verdict(Enum):
    NEW = "new"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    """The same source and id, but other content."""


NEW, DUPLICATE, CONFLICT = Verdict.NEW, Verdict.DUPLICATE, Verdict.CONFLICT
"""Looked up once: an enumeration looks its members up for 0.06 µs each, several an event."""


def fingerprint(event: Input) -> bytes:
    """12 bytes: who the event is, then what it says."""
    whole, name = event.event, _names.copy()
    name.update(_pack((whole.source, whole.id)))
    return _pack_print(name.digest(), crc32(_pack((event.type, event.at, whole.data))))


def judge(recent: bytearray, print_: bytes) -> Verdict:
    """Whether an event with this fingerprint is among the recent ones."""
    name = print_[:_NAME_BYTES]
    at = recent.rfind(name)  # it is there once at most, and this way takes half the time
    while at >= 0 and at % _SIZE:  # a hit across two entries is none
        at = recent.rfind(name, 0, at + _NAME_BYTES - 1)
    if at < 0:
        return NEW
    return DUPLICATE if recent[at : at + _PRINT_BYTES] == print_ else CONFLICT


def remember(recent: bytearray, print_: bytes, at: int, kept: int, oldest: int) -> None:
    """Append an entry, in place; drop from the front what exceeds `kept` or is before `oldest`
    (ms), but for the entry itself."""
    recent += _pack_entry(print_, at // 1_000)
    size, bound = len(recent), oldest // 1_000
    start = size - kept * _SIZE if size > kept * _SIZE else 0
    while start < size - _SIZE and _seconds_at(recent, start + _PRINT_BYTES)[0] < bound:
        start += _SIZE
    if start:
        del recent[:start]
