"""The profile section of a customer record: what is known of the customer.

Everything in it is bounded (streams/README.md, *What a record keeps*). What comes in numbers is
packed without field names: new fields go to the end. Nothing of a record holds a cycle, so its
structs are none of the garbage collector's (`gc=False`): it would walk through every cached record.
"""

from decimal import Decimal

from msgspec import Struct, field

from schemas.events.core import FamilyMember

NEVER = -1
"""No time: it has not happened yet."""


AttributeValue = str | int | bool | list[str]


class Basics(Struct, kw_only=True, omit_defaults=True, gc=False):
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
    """As it was told."""
    occupation: str | None = None
    employer: str | None = None
    residence: str | None = None
    language: str | None = None
    consents: dict[str, dict[str, bool]] | None = None


class Account(Struct, kw_only=True, array_like=True, gc=False):
    kind: str = ""
    currency: str = ""
    branch: str | None = None
    opened_at: int | None = None
    closed_at: int | None = None
    balance: Decimal = Decimal(0)
    base_balance: Decimal = Decimal(0)
    balance_at: int = NEVER
    history: bytes = b""
    """The base balance at the ends of months, see streams/history.py."""
    openness: bytes = b""
    """Likewise, whether it was open: 1 or 0. Unless it was told, it was."""


class Deposit(Struct, kw_only=True, array_like=True, gc=False):
    principal: Decimal = Decimal(0)
    """What is left of it."""
    currency: str = ""
    base_principal: Decimal = Decimal(0)
    rate: Decimal = Decimal(0)
    matures_on: str = ""
    state: str = "open"
    changed_at: int = NEVER
    """The event time of the last word on its state."""
    placed_at: int = NEVER
    """When it was placed or renewed last."""
    early: bool = False
    """It was redeemed before it matured."""
    moves: bytes = b""
    """How it came about, see streams/moves.py; so below."""
    redeemed: Decimal | None = None
    """The amount that the last word on its state redeemed; None if that placed it."""


class Holding(Struct, kw_only=True, array_like=True, gc=False):
    """A wealth product, a fund, an insurance: what was bought less what was redeemed."""

    product: str = ""
    product_class: str = ""
    currency: str = ""
    amount: Decimal = Decimal(0)
    base_amount: Decimal = Decimal(0)
    risk_level: int | None = None
    matures_on: str | None = None
    changed_at: int = NEVER
    """The event time of the last word on it; so below."""
    moves: bytes = b""
    last_change: Decimal = Decimal(0)
    """What the last word changed the amount by: above 0 bought, below 0 redeemed."""
    risk_level_age: int = 0
    """How long before the last word it was told, milliseconds; so below. 0 where that told it."""
    matures_on_age: int = 0


class Loan(Struct, kw_only=True, array_like=True, gc=False):
    """What was drawn less what was repaid."""

    kind: str = ""
    currency: str = ""
    amount: Decimal = Decimal(0)
    base_amount: Decimal = Decimal(0)
    rate: Decimal | None = None
    due_on: str | None = None
    changed_at: int = NEVER
    moves: bytes = b""
    last_change: Decimal = Decimal(0)
    """What the last word changed the amount by: above 0 drawn, below 0 repaid."""
    rate_age: int = 0
    due_on_age: int = 0


class Card(Struct, kw_only=True, array_like=True, gc=False):
    """A card, its limit and its last statement. What is paid with it is in the activity."""

    product: str = ""
    currency: str = ""
    issued_at: int | None = None
    limit: Decimal | None = None
    limit_until: str | None = None
    """The day until which a temporary limit holds."""
    limit_at: int = NEVER
    statement: str = ""
    amount_due: Decimal = Decimal(0)
    due_on: str | None = None
    statement_at: int = NEVER
    changed_at: int = NEVER
    standing: Decimal | None = None
    """The last limit before it that was not temporary: it holds when a temporary one is over."""
    standing_at: int | None = None
    """The event time of the last word on it; below NEVER if only temporary limits named it, as the
    one before them: then the first of them counts most."""
    limit_currency: str = ""
    statement_currency: str = ""
    """A card may have its limit in one currency and bills in others."""


class Relation(Struct, kw_only=True, array_like=True, gc=False):
    """One relation to another customer. One that ended stays, so that a late word of its
    beginning does not bring it back."""

    at: int
    """Event time of the last word on it."""
    stands: bool = True


class Interest(Struct, kw_only=True, array_like=True, gc=False):
    at: int
    """When it was recorded last."""
    source: str | None = None
    """Who said so."""


class Benefit(Struct, kw_only=True, array_like=True, gc=False):
    count: int = 0
    cost: Decimal = Decimal(0)
    """In its currency; `other` has none."""
    base_cost: Decimal = Decimal(0)
    """In the base currency."""
    last_at: int = NEVER
    currency: str = ""
    """Of its cost; it stands in the key, too."""


class Score(Struct, kw_only=True, array_like=True, frozen=True, gc=False):
    """What a rule with a score found last."""

    points: int
    at: int
    """Event time of the last change."""
    raised: bool = False
    """The rule has fired, and the score was not low since."""
    signals: list[int] = []
    """Which of the rule's signals hold, by their places."""


class ProfileSection(Struct, kw_only=True, omit_defaults=True, gc=False):
    """What is known of the customer. Events of payments, visits and the like do not change it."""

    basics: Basics = field(default_factory=Basics)
    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    """The fields that the bank adds itself, as they were declared when they came."""
    written: dict[str, int] = field(default_factory=dict)
    """Field, `attributes.x` or `tag:x` → event time of its last write, so that the last wins."""
    tags: dict[str, int] = field(default_factory=dict)
    """Tag → since when."""
    accounts: dict[str, Account] = field(default_factory=dict)
    deposits: dict[str, Deposit] = field(default_factory=dict)
    holdings: dict[str, Holding] = field(default_factory=dict)
    loans: dict[str, Loan] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    relations: dict[str, Relation] = field(default_factory=dict)
    """`other relation` → the relation; `other <relation` where the other one named it."""
    interests: dict[str, Interest] = field(default_factory=dict)
    benefits: dict[str, Benefit] = field(default_factory=dict)
    """`benefit currency`, or the benefit alone where it had no cost → how often, and for how much.
    Those beyond the limit are counted together as `other`."""
    dropped: dict[str, int] = field(default_factory=dict)
    """What fell off a bounded list → how many."""
    scores: dict[str, Score] = field(default_factory=dict)
    """By the names that the rules give them."""
