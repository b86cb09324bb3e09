"""The ids of a customer's recent events, packed in bytes so that a look is one search.

An entry is 20 bytes: a hash of (source, id), a hash of (type, time, data), and the event time in
seconds. Newest last; bounded by a count and by a time.
"""

import hashlib
from enum import Enum

import msgspec

from streams.inputs import Input

_SIZE = 20
_pack = msgspec.msgpack.Encoder(decimal_format="string").encode


class Verdict(Enum):
    NEW = "new"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    """The same source and id, but other content."""


def fingerprint(event: Input) -> bytes:
    """16 bytes: who the event is, then what it says."""
    name = _pack((event.event.source, event.event.id))
    content = _pack((event.type, event.at, event.event.data))
    return _hash(name) + _hash(content)


def judge(recent: bytes, print_: bytes) -> Verdict:
    """Whether an event with this fingerprint is among the recent ones."""
    name = print_[:8]
    at = recent.find(name)
    while at >= 0 and at % _SIZE:  # a hit across two entries is none
        at = recent.find(name, at + 1)
    if at < 0:
        return Verdict.NEW
    return Verdict.DUPLICATE if recent[at : at + 16] == print_ else Verdict.CONFLICT


def remember(recent: bytes, print_: bytes, at: int, *, kept: int, oldest: int) -> bytes:
    """Append an entry; drop from the front what exceeds `kept` or is before `oldest` (ms)."""
    start = max(0, len(recent) + _SIZE - kept * _SIZE)
    bound = oldest // 1_000
    while start < len(recent) and int.from_bytes(recent[start + 16 : start + 20], "big") < bound:
        start += _SIZE
    return recent[start:] + print_ + (at // 1_000).to_bytes(4, "big")


def _hash(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=8).digest()
