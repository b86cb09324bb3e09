"""The customer record: one key, one value, so that a change is atomic.

A plain header that is read without decoding the rest, then two msgpack sections: the profile,
decoded when needed and carried along as bytes otherwise, and the activity, which every event needs.
"""

import struct
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from schemas.activity import ActivitySection, Month, unpack_month
from schemas.packed import Packed, pack
from schemas.profile import NEVER, ProfileSection
from schemas.reversibles import Reversibles

RECORD_VERSION = 2
FOLD_BYTES = 256 * 1024
"""More than everything takes that is kept of events, at its most (tests/core/test_limit.py)."""
RULES_BYTES = 694 * 1024
"""So much may rules keep in it (streams/rules/weight.py)."""
MAX_RECORD_BYTES = FOLD_BYTES + RULES_BYTES
"""A message, as Kafka takes it, has a million bytes at most."""

_HEADER = struct.Struct(">BQqqI8sI")
_TIME_OR_NUMBER = struct.Struct(">q")
_DUE_AT = 9
_BROADCAST_AT = 17
_LENGTH = struct.Struct(">I")


class Header(Struct, kw_only=True, gc=False):
    """What can be read without decoding a section."""

    sequence: int = 0
    """Counts the inputs that changed this record."""
    next_due: int = NEVER
    """The earliest timer, epoch milliseconds; NEVER if none is set."""
    last_broadcast: int = NEVER
    """The number of the last broadcast that it was told out of turn, or that did something; NEVER
    if there was none. See streams/broadcasts.py."""
    summary_version: int = 0
    """The version of the summary sent last; 0 is none. Of a customer 1 where none is sent."""
    summary_digest: bytes = b"\x00" * 8

    @property
    def is_customer(self) -> bool:
        """Something of its own was told: it is not only named by others' relations, who are perhaps
        no customers of the bank."""
        return self.summary_version > 0

    def admit(self) -> None:
        """Make it a customer's, where no summary does."""
        if not self.is_customer:
            self.summary_version = 1


_unpack_profile = msgspec.msgpack.Decoder(ProfileSection).decode
_unpack_activity = msgspec.msgpack.Decoder(ActivitySection).decode
_unpack_window: Callable[[Any], list[Any]] = msgspec.msgpack.Decoder(list[Any]).decode

Windows = Packed[str, list[Any]]
Months = Packed[int, Month]


class Record:
    """One customer's record in memory. The profile decodes at first use.

    Whatever changes the profile takes it from `edit_profile` or `edit_assets`: one that was only
    read is carried along as the bytes that it was.

    `stored` is the encoded form that the record was last read from or written as (None if it is
    new): what a failed chunk goes back to.
    """

    __slots__ = (
        "_edited",
        "_months",
        "_payments",
        "_profile",
        "_transfers",
        "_windows",
        "activity",
        "customer",
        "header",
        "stored",
        "worth",
    )

    def __init__(self, customer: str, stored: bytes | None = None) -> None:
        self.customer = customer
        self.stored = stored
        self._profile: ProfileSection | None = None
        self._windows: Windows | None = None
        self._months: Months | None = None
        self._transfers: Reversibles | None = None
        self._payments: Reversibles | None = None
        self.worth: Any = None
        """What streams/assets.py reckoned of the profile; None once assets are to be changed."""
        self.header = Header() if stored is None else read_header(stored)
        self._edited = stored is None
        if stored is None:
            self._profile, self.activity = ProfileSection(), ActivitySection()
        else:
            self.activity = _unpack_activity(_sections(stored)[1])

    @property
    def profile(self) -> ProfileSection:
        """The profile, to read."""
        if self._profile is None:
            self._profile = _unpack_profile(_sections(self._bytes())[0])
        return self._profile

    def edit_profile(self) -> ProfileSection:
        """The profile, to change, but for what the customer has with the bank or owes it."""
        self._edited = True
        return self.profile

    def edit_assets(self) -> ProfileSection:
        """The profile, to change at once: what was reckoned of its assets is forgotten here."""
        self.worth = None
        return self.edit_profile()

    @property
    def windows(self) -> Windows:
        """The states of aggregates, see streams/windows.py."""
        if self._windows is None:
            self._windows = Packed(self.activity.windows, _unpack_window)
        return self._windows

    @property
    def months(self) -> Months:
        """What the customer did, month by month."""
        if self._months is None:
            self._months = Packed(self.activity.months, unpack_month)
        return self._months

    @property
    def transfers(self) -> Reversibles:
        if self._transfers is None:
            self._transfers = Reversibles(self.activity.transfers)
        return self._transfers

    @property
    def payments(self) -> Reversibles:
        if self._payments is None:
            self._payments = Reversibles(self.activity.payments)
        return self._payments

    def store(self) -> None:
        """Encode the record: `stored` is as it is now. What was unpacked is let go."""
        self.stored = self.encode()
        self._edited = False
        self._windows = self._months = None

    def encode(self) -> bytes:
        """The record as bytes; a section that nobody changed is carried along as it is."""
        if self._windows is not None:
            self._windows.write()
        if self._months is not None:
            self._months.write()
        profile = pack(self.profile) if self._edited else _sections(self._bytes())[0]
        activity = pack(self.activity)
        head = self.header
        packed = _HEADER.pack(
            RECORD_VERSION,
            head.sequence,
            head.next_due,
            head.last_broadcast,
            head.summary_version,
            head.summary_digest,
            len(profile),
        )
        return b"".join((packed, profile, activity))

    def _bytes(self) -> bytes:
        assert self.stored is not None, "a new record has both sections decoded"
        return self.stored


def read_header(stored: bytes) -> Header:
    """The header of an encoded record. Raises ValueError if it is not one of this version."""
    if len(stored) < _HEADER.size:
        raise ValueError(f"a customer record has at least {_HEADER.size} bytes, not {len(stored)}")
    version, sequence, due, broadcast, summary, digest, _ = _HEADER.unpack_from(stored)
    if version != RECORD_VERSION:
        raise ValueError(f"a customer record of version {version}; this is {RECORD_VERSION}")
    return Header(
        sequence=sequence,
        next_due=due,
        last_broadcast=broadcast,
        summary_version=summary,
        summary_digest=digest,
    )


def next_due(stored: bytes) -> int:
    """The `next_due` of an encoded record's header, without reading the rest."""
    due: int = _TIME_OR_NUMBER.unpack_from(stored, _DUE_AT)[0]
    return due


def last_broadcast(stored: bytes) -> int:
    """The `last_broadcast` of an encoded record's header, without reading the rest."""
    number: int = _TIME_OR_NUMBER.unpack_from(stored, _BROADCAST_AT)[0]
    return number


def _sections(stored: bytes) -> tuple[bytes, bytes]:
    """Copies: what stays packed in a section refers to them, and bytes are no work of the
    collector's as views are."""
    begin = _HEADER.size
    end = begin + _LENGTH.unpack_from(stored, begin - _LENGTH.size)[0]
    return stored[begin:end], stored[end:]
