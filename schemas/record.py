"""The customer record: one key, one value, so that a change is atomic.

A plain header that is read without decoding the rest, then two msgpack sections, decoded when
needed and carried along as bytes otherwise.
"""

import struct
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct, field

from schemas.events.core import Attribute, FamilyMember

RECORD_VERSION = 1
MAX_RECORD_BYTES = 256 * 1024

_HEADER = struct.Struct(">BQqqI8sI")
_DUE = struct.Struct(">q")
_DUE_AT = 9
NEVER = -1
"""No timer is set, no broadcast was applied."""


class Header(Struct, kw_only=True):
    """What can be read without decoding a section."""

    sequence: int = 0
    """Counts the inputs that changed this record."""
    next_due: int = NEVER
    """The earliest timer, epoch milliseconds."""
    last_broadcast: int = NEVER
    summary_version: int = 0
    """The version of the summary sent last; 0 is none."""
    summary_digest: bytes = b"\x00" * 8


class Basics(Struct, kw_only=True, omit_defaults=True):
    """Who the customer is. The field names are those of customer.updated."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    identity_number: str | None = None
    birthday: str | None = None
    opened_on: str | None = None
    tier: str | None = None
    rm: str | None = None
    family: list[FamilyMember] | None = None
    occupation: str | None = None
    employer: str | None = None
    residence: str | None = None
    language: str | None = None
    consents: dict[str, dict[str, bool]] | None = None


class Account(Struct, kw_only=True, omit_defaults=True):
    kind: str = ""
    currency: str = ""
    opened_at: int | None = None
    closed_at: int | None = None
    balance: Decimal = Decimal(0)
    base_balance: Decimal = Decimal(0)
    balance_at: int = NEVER


class Deposit(Struct, kw_only=True, omit_defaults=True):
    principal: Decimal = Decimal(0)
    currency: str = ""
    base_principal: Decimal = Decimal(0)
    rate: Decimal = Decimal(0)
    matures_on: str = ""
    state: str = "open"
    changed_at: int = NEVER


class Flow(Struct, kw_only=True, array_like=True):
    """Transfers in one direction, since the record began."""

    count: int = 0
    base_total: Decimal = Decimal(0)
    reversed: int = 0
    last_at: int = NEVER


class Transfer(Struct, kw_only=True, array_like=True):
    """One of the last transfers, kept so that a reversal takes the right one out again."""

    at: int
    data: tuple[str | None, ...]
    """What streams/fold/transfers.py keeps of it."""
    late: bool = False
    """It came too late for the windows, so there is nothing to take out of them."""
    reversed: bool = False


class Visits(Struct, kw_only=True, array_like=True):
    """Logins and page views, since the record began."""

    logins: int = 0
    last_login_at: int = NEVER
    by_channel: dict[str, int] = field(default_factory=dict)
    pages: int = 0
    last_page_at: int = NEVER
    by_topic: dict[str, int] = field(default_factory=dict)


class ProfileSection(Struct, kw_only=True, omit_defaults=True):
    """What is known of the customer. Few events change it."""

    basics: Basics = field(default_factory=Basics)
    attributes: dict[str, Attribute] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    """Field, `attributes.x` or `tag:x` → event time of its last write, so that the last wins."""
    tags: dict[str, int] = field(default_factory=dict)
    """Tag → since when."""
    accounts: dict[str, Account] = field(default_factory=dict)
    deposits: dict[str, Deposit] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    """What fell off a bounded list → how many."""


class Timer(Struct, kw_only=True, omit_defaults=True):
    """A rule that waits. It stays here after it fired, so that it fires once."""

    about: str
    """The date that it waits for: another one sets it anew."""
    due: int
    """Epoch milliseconds."""
    fired: bool = False
    source: str
    """The event that set it, up to `offset`."""
    id: str
    type: str
    at: int
    topic: str
    partition: int
    offset: int


class ActivitySection(Struct, kw_only=True, array_like=True):
    """What the customer does. Every event changes it, so its fields are packed without names:
    new ones go to the end."""

    latest: int = NEVER
    """The record's own greatest event time; lateness is judged against it."""
    first_seen: int = NEVER
    """The least event time."""
    recent: bytes = b""
    """The ids of recent events, see streams/duplicates.py."""
    windows: dict[str, Any] = field(default_factory=dict)
    """Aggregate key → its buckets, see streams/windows.py. Plain msgpack values only."""
    cooldowns: dict[str, int] = field(default_factory=dict)
    """Rule id → event time of its last firing."""
    timers: dict[str, Timer] = field(default_factory=dict)
    """Rule id:deposit → its timer, see streams/timers.py."""
    inflow: Flow = field(default_factory=Flow)
    outflow: Flow = field(default_factory=Flow)
    transfers: list[bytes] = field(default_factory=list)
    """The last ones, oldest first, each packed (see Transfer): one object instead of a dozen to
    walk through whenever the section is encoded."""
    visits: Visits = field(default_factory=Visits)
    late: int = 0
    """Events that came later than allowed: folded, but kept out of windows."""


_pack = msgspec.msgpack.Encoder(decimal_format="string").encode
pack_transfer = _pack
unpack_transfer = msgspec.msgpack.Decoder(Transfer).decode
_unpack_profile = msgspec.msgpack.Decoder(ProfileSection).decode
_unpack_activity = msgspec.msgpack.Decoder(ActivitySection).decode


class Record:
    """One customer's record in memory. Sections decode at first use.

    Whatever changes the profile takes it from `edit_profile`: one that was only read is carried
    along as the bytes that it was.

    `stored` is the encoded form that the record was last read from or written as (None if it is
    new): what a failed chunk goes back to.
    """

    __slots__ = ("_activity", "_edited", "_profile", "customer", "header", "stored")

    def __init__(self, customer: str, stored: bytes | None = None) -> None:
        self.customer = customer
        self.stored = stored
        self._profile: ProfileSection | None = None
        self._activity: ActivitySection | None = None
        self.header = Header() if stored is None else read_header(stored)
        self._edited = stored is None
        if stored is None:
            self._profile, self._activity = ProfileSection(), ActivitySection()

    @property
    def profile(self) -> ProfileSection:
        """The profile, to read."""
        if self._profile is None:
            self._profile = _unpack_profile(_sections(self._bytes())[0])
        return self._profile

    def edit_profile(self) -> ProfileSection:
        """The profile, to change."""
        self._edited = True
        return self.profile

    @property
    def activity(self) -> ActivitySection:
        if self._activity is None:
            self._activity = _unpack_activity(_sections(self._bytes())[1])
        return self._activity

    def store(self) -> None:
        """Encode the record: `stored` is as it is now."""
        self.stored = self.encode()
        self._edited = False

    def encode(self) -> bytes:
        """The record as bytes; a section that nobody changed is carried along as it is."""
        profile = _pack(self.profile) if self._edited else _sections(self._bytes())[0]
        active = self._activity
        activity = _sections(self._bytes())[1] if active is None else _pack(active)
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
    due: int = _DUE.unpack_from(stored, _DUE_AT)[0]
    return due


def _sections(stored: bytes) -> tuple[memoryview, memoryview]:
    length = _HEADER.unpack_from(stored)[-1]
    view = memoryview(stored)
    return view[_HEADER.size : _HEADER.size + length], view[_HEADER.size + length :]
