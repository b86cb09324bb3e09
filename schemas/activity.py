"""The activity section of a customer record: what the customer does, and what is done about it.

Every event changes it, so its fields are packed without names (new ones go to the end), and what
most events do not need stays packed within it. Without the collector, see schemas/profile.py.
"""

from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from schemas.packed import pack
from schemas.profile import NEVER

EMPTY = Raw(pack([]))


class Flow(Struct, kw_only=True, array_like=True, gc=False):
    """Transfers in one direction, since the record began."""

    count: int = 0
    base_total: Decimal = Decimal(0)
    reversed: int = 0
    last_at: int = NEVER


class Part(Struct, array_like=True, frozen=True, gc=False):
    """What one reversal takes back of a payment."""

    at: int
    currency: str
    """Empty: the whole, whatever the amount."""
    amount: Decimal


REVERSAL = -1
"""The type of a reversal whose event has not come yet."""


class _Timed(Struct, array_like=True, gc=False):
    at: int


class Reversible(Struct, kw_only=True, array_like=True, gc=False):
    """One of the last events that may be taken back, kept so that a reversal takes the right one
    out again."""

    at: int
    data: tuple[str | None, ...]
    """What is kept of it, its name first; see streams/fold/reversals.py."""
    late: bool = False
    """It came too late for the windows, so there is nothing to take out of them."""
    reversed: bool = False
    """All of it was taken back, whatever the amount."""
    era: int = 0
    """The record's when it came: windows that are younger never held it."""
    type: int = 0
    """Its place among the types that its reversals take back; or REVERSAL."""
    parts: list[Part] = field(default_factory=list)
    """Of what is taken back in parts: all that was."""


class Visits(Struct, kw_only=True, array_like=True, gc=False):
    """What the customer did in the app and on the web, since the record began."""

    logins: int = 0
    last_login_at: int = NEVER
    by_channel: dict[str, int] = field(default_factory=dict)
    pages: int = 0
    last_page_at: int = NEVER
    by_topic: dict[str, int] = field(default_factory=dict)
    questions: int = 0
    journeys: dict[str, list[int]] = field(default_factory=dict)
    """Journey → how often it was started, completed, abandoned."""


class Use(Struct, kw_only=True, array_like=True, gc=False):
    """What was paid with one card in the last month that it was used in, and the month before."""

    month: int
    base_total: Decimal = Decimal(0)
    before: Decimal = Decimal(0)


class Care(Struct, kw_only=True, array_like=True, gc=False):
    """What became of tasks, as the CRM told it, since the record began."""

    accepted: int = 0
    started: int = 0
    completed: int = 0
    declined: int = 0
    contacts: int = 0
    reached: int = 0
    last_contact_at: int = NEVER
    outcomes: dict[str, int] = field(default_factory=dict)
    base_won: Decimal = Decimal(0)


class Sum(Struct, array_like=True, gc=False):
    """How many and how much, in the base currency."""

    count: int = 0
    total: Decimal = Decimal(0)


class Inflow(Struct, array_like=True, order=True, frozen=True, gc=False):
    """One of a month's largest transfers in of a sender that is named, to find those that come
    regularly."""

    amount: Decimal
    """In the base currency."""
    name: int
    """Tells transfers of one amount apart: a checksum of the transfer's id."""
    day: int
    source: int
    """A checksum of who sent it to which account."""
    purpose: str
    reversed: bool = False
    """It was taken back, so it is none that comes."""


class Month(Struct, kw_only=True, array_like=True, gc=False):
    """What the customer did in one calendar month of the bank's time zone."""

    events: int = 0
    """Of all types."""
    inflow: Sum = field(default_factory=Sum)
    """Transfers in, less those reversed in this month; so below."""
    outflow: Sum = field(default_factory=Sum)
    spent: Sum = field(default_factory=Sum)
    """Card payments as they were authorised."""
    settled: Sum = field(default_factory=Sum)
    declined: int = 0
    channels: dict[str, Sum] = field(default_factory=dict)
    """Channel of a transfer, or `card` and the presence of a payment."""
    categories: dict[str, Sum] = field(default_factory=dict)
    """Merchant category code → card payments."""
    logins: int = 0
    pages: int = 0
    contacts: int = 0
    """Entries of the service line."""
    inflows: list[Inflow] = field(default_factory=list)
    """The largest, in order."""


class Contact(Struct, array_like=True, order=True, frozen=True, gc=False):
    """One entry of the service line: the customer and the bank had to do with each other."""

    at: int
    type: str
    """The event's."""
    channel: str = ""
    about: str = ""
    name: str = ""
    """Of the case, call, survey or task that it is about; the branch of a visit."""
    result: str = ""
    """The severity of a case, the score of a survey, the outcome of a task."""


class Decline(Struct, array_like=True, order=True, frozen=True, gc=False):
    """A card payment that was refused, as its event told it."""

    at: int
    card: str
    amount: Decimal
    currency: str
    merchant: str
    category: str
    country: str
    reason: str


class Regular(Struct, array_like=True, frozen=True, gc=False):
    """A regular inflow: about the same amount, of the same sender, in month after month."""

    purpose: str
    amount: Decimal
    """The median, in the base currency."""
    day: int
    """Of the month, the median."""
    months: int
    """How many months in a row."""


class Behaviour(Struct, kw_only=True, array_like=True, gc=False):
    """What the whole months say, those before the record's newest."""

    month: int = 0
    """The record's newest: its time is not over."""
    inflow: Decimal = Decimal(0)
    """Of the last three whole months, in the base currency; so below."""
    outflow: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    categories: list[str] = field(default_factory=list)
    """Merchant categories with the highest spending, the first first."""
    regular: list[Regular] = field(default_factory=list)
    """The largest first."""


class Timer(Struct, kw_only=True, omit_defaults=True, gc=False):
    """A rule that waits. One that waits for a date stays here after it fired, so that it fires
    once."""

    about: str
    """The date that it waits for: another one sets it anew. Or what an answer has to be about."""
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
    values: dict[str, str] = field(default_factory=dict)
    """What the rule showed when it began to wait for an answer."""


class Greeted(Struct, array_like=True, frozen=True, gc=False):
    at: int
    """Event time."""
    template: str


class Said(Struct, array_like=True, gc=False):
    """What a rule that can be amended did at an event."""

    version: int
    """Of what was sent last; 0 if all was withheld."""
    stands: bool
    """It was not retracted."""
    values: dict[str, str]
    """What it showed last."""
    withheld: bool = False
    """What it did last was recorded instead of sent."""
    things: tuple[str, ...] = ()
    """What was sent: `task`, `alert`; empty where an earlier version of vipcare did not tell."""


class Played(Struct, kw_only=True, array_like=True):
    """An event that may have to be played again, see streams/rules/amending.py."""

    at: int
    id: str
    source: str
    type: str
    layout: int
    """Which fields are kept."""
    data: Raw
    did: dict[str, Said] = field(default_factory=dict)
    """Rule id → what it did."""
    came: int = 0
    """The record's sequence when it came."""


class Judging(Struct, array_like=True, gc=False):
    """Since when a rule that can be amended is in force for a customer, in the record's sequence:
    it judges no event that came before."""

    version: int
    since: int
    """This version."""
    status: str
    acting: int
    """In this status: what came before is followed where something was sent, and nothing more."""


class Owed(Struct, array_like=True, frozen=True, gc=False):
    """What was corrected of what a window does not hold, since it came before the window began: to
    be taken out of what the window is filled with, or put in."""

    key: str
    """Of the window's state."""
    at: int
    """Where in the window it is."""
    value: Any
    is_added: bool = False
    """What is left of something that was taken back in part."""


class ActivitySection(Struct, kw_only=True, array_like=True, gc=False):
    """What the customer does. Read `windows` and `months` through the Record, which unpacks
    them."""

    latest: int = NEVER
    """The record's own greatest event time; lateness is judged against it."""
    first_seen: int = NEVER
    """The least event time."""
    recent: bytearray = field(default_factory=bytearray)
    """The ids of recent events, see streams/duplicates.py."""
    windows: dict[str, Raw] = field(default_factory=dict)
    """Aggregate key → its buckets, see streams/windows.py. Plain msgpack values only."""
    cooldowns: dict[str, int] = field(default_factory=dict)
    """Rule id → event time of its last firing."""
    timers: dict[str, Timer] = field(default_factory=dict)
    """What it waits for → the timer, see streams/timers.py."""
    inflow: Flow = field(default_factory=Flow)
    outflow: Flow = field(default_factory=Flow)
    transfers: list[bytes] = field(default_factory=list)
    """The last ones, in the order of event times and ids, each packed (see Reversible): one object
    instead of a dozen to walk through whenever the section is encoded."""
    visits: Visits = field(default_factory=Visits)
    late: int = 0
    """Events that came later than allowed: folded, but kept out of windows."""
    months: dict[int, Raw] = field(default_factory=dict)
    """Months since the year 0 → its Month. The last ones."""
    line: Raw = EMPTY
    """The service line: the last Contacts, oldest first."""
    uses: dict[str, Use] = field(default_factory=dict)
    """Card → what was paid with it."""
    care: Care = field(default_factory=Care)
    behaviour: Raw = field(default_factory=lambda: Raw(pack(Behaviour())))
    dropped: dict[str, int] = field(default_factory=dict)
    """What fell off the bounded parts of this section → how many."""
    contacts: int = 0
    """Entries that the service line ever had."""
    last_contact_at: int = NEVER
    declines: Raw = EMPTY
    """The last Declines, oldest first."""
    firings: dict[str, list[int]] = field(default_factory=dict)
    """Rule id → event times of its last firings, as many as its limit counts."""
    answers: dict[str, bytes] = field(default_factory=dict)
    """The last events that answered what rules wait for, see streams/waits/absence.py."""
    armed: int = 0
    """Which rules' waits for dates there are timers of: RuleSet.dates_mark."""
    greetings: dict[str, Greeted] = field(default_factory=dict)
    """Occasion → the greeting that was chosen last."""
    rules: int = 0
    """Of which rules windows, cooldowns and firings are kept: RuleSet.mark."""
    played: list[bytes] = field(default_factory=list)
    """The last events of the types that rules which can be amended look at, in their order, each
    packed (see Played)."""
    judging: dict[str, Judging] = field(default_factory=dict)
    """Rule id → since when it judges, of those that can be amended."""
    began: dict[str, int] = field(default_factory=dict)
    """Key of a window that they look at → the record's sequence from which on what came is played
    again in it."""
    era: int = 0
    """How often other rules came into force while events were kept that may be taken back."""
    payments: list[bytes] = field(default_factory=list)
    """The last card payments, as transfers are kept."""
    answered: dict[str, Timer] = field(default_factory=dict)
    """Timers that were answered by what may be taken back, until they would have been due."""
    ruled: int = 0
    """Of which chunk's rules windows are kept: Reach.number."""
    filled: dict[str, int] = field(default_factory=dict)
    """Key of a window that was filled → the number of the chunk that began it, until all customers'
    are."""
    owed: list[Owed] = field(default_factory=list)
    """Of windows that may be filled yet; the last ones."""


pack_reversible = pack
unpack_time = msgspec.msgpack.Decoder(_Timed).decode
"""Of a Reversible or a Played, its time alone."""
unpack_reversible = msgspec.msgpack.Decoder(Reversible).decode
unpack_played = msgspec.msgpack.Decoder(Played).decode
unpack_month = msgspec.msgpack.Decoder(Month).decode
unpack_line = msgspec.msgpack.Decoder(list[Contact]).decode
unpack_declines = msgspec.msgpack.Decoder(list[Decline]).decode
unpack_behaviour = msgspec.msgpack.Decoder(Behaviour).decode
