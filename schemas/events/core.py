"""`bank.core`: customers, accounts, transfers, deposits, products, loans, relations, benefits."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from schemas.envelope import VIPCARE, CustomerId, Data, Event, TakesBack
from schemas.fields import (
    SENSITIVE,
    Country,
    Currency,
    Day,
    Id,
    Money,
    Name,
    PersonalDate,
    PersonalId,
    PersonalText,
    Rate,
    Whole,
    check_day,
)

Attribute = Annotated[
    Any,
    Meta(
        extra_json_schema={
            "type": ["string", "integer", "boolean", "array", "null"],
            "items": {"type": "string"},
        }
    ),
]
"""A field that a bank adds itself. Its declaration says what it takes, streams/attributes.py checks
it: the decoder would not name it, and a field that nobody declared may hold anything."""
Attributes = Annotated[dict[str, Attribute], Meta(extra={SENSITIVE: True})]
"""Which of them identify a person is not known here, so all count as if they did: those that do not
reach ClickHouse by the summary of the customer."""


class CoreEvent(Event, frozen=True):
    topic = "bank.core"


class FamilyMember(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    relation: Name
    name: PersonalText | None = None
    birthday: PersonalDate | None = None
    customer: CustomerId | None = None


class CustomerData(Data, kw_only=True, frozen=True):
    """A patch: an absent field stays as it was, null removes it; the last writer by time wins."""

    name: PersonalText | UnsetType | None = UNSET
    phone: PersonalText | UnsetType | None = UNSET
    email: PersonalText | UnsetType | None = UNSET
    identity_number: PersonalId | UnsetType | None = UNSET
    birthday: PersonalDate | UnsetType | None = UNSET
    opened_on: Day | UnsetType | None = UNSET
    tier: Name | UnsetType | None = UNSET
    rm: Id | UnsetType | None = UNSET
    family: list[FamilyMember] | UnsetType | None = UNSET
    occupation: Name | UnsetType | None = UNSET
    employer: PersonalText | UnsetType | None = UNSET
    residence: Name | UnsetType | None = UNSET
    language: Name | UnsetType | None = UNSET
    consents: dict[str, dict[str, bool]] | UnsetType | None = UNSET
    """Purpose → channel → given or refused, by the names of schemas/consents.py."""
    attributes: Attributes | UnsetType = UNSET
    """The bank's own fields; each is a patch of its own, null removes it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        # Not in FamilyMember itself: records are read with it, and what is kept must stay readable.
        for member in self.family or ():
            if member.birthday is not None:
                check_day("family.birthday", member.birthday)


class CustomerUpdated(CoreEvent, tag="customer.updated", frozen=True):
    data: CustomerData


class AccountOpenedData(Data, kw_only=True, frozen=True):
    account: Id
    kind: Name
    currency: Currency
    branch: Id | None = None


class AccountOpened(CoreEvent, tag="account.opened", frozen=True):
    data: AccountOpenedData


class AccountClosedData(Data, kw_only=True, frozen=True):
    account: Id
    reason: Name | None = None


class AccountClosed(CoreEvent, tag="account.closed", frozen=True):
    data: AccountClosedData


class TransferData(Data, kw_only=True, frozen=True):
    transfer: Id
    """Of one customer, it names one transfer for each direction: the two legs between own accounts
    may have one id."""
    account: Id
    direction: Literal["in", "out"]
    """Whether the money came into the account or went out of it."""
    amount: Money
    currency: Currency
    base_amount: Money | None = None
    """The amount in the bank's base currency; reckoned by `bank.reference` where it is absent, as
    every other base amount is."""
    counterparty_name: PersonalText | None = None
    counterparty_bank: Name | None = None
    counterparty_country: Country | None = None
    channel: Name | None = None
    purpose: Name | None = None


class TransferCompleted(CoreEvent, tag="transfer.completed", frozen=True):
    data: TransferData


class TransferReversedData(Data, kw_only=True, frozen=True):
    """Takes a completed transfer back; it names the amounts and time of what it reverses."""

    transfer: Id
    account: Id
    direction: Literal["in", "out"]
    """Of the transfer that is taken back, not of the money that flows back. With the other one it
    is the reversal of another leg."""
    amount: Money
    currency: Currency
    base_amount: Money | None = None
    reason: Name | None = None


class TransferReversed(CoreEvent, tag="transfer.reversed", frozen=True):
    takes_back = TakesBack(("transfer.completed",), ("transfer", "direction"), in_parts=False)

    data: TransferReversedData


class BalanceData(Data, kw_only=True, frozen=True):
    account: Id
    currency: Currency
    balance: Money
    base_balance: Money | None = None


class BalanceReported(CoreEvent, tag="balance.reported", frozen=True):
    data: BalanceData


class DepositData(Data, kw_only=True, frozen=True):
    deposit: Id
    principal: Money
    currency: Currency
    base_principal: Money | None = None
    rate: Rate
    matures_on: Day


class DepositPlaced(CoreEvent, tag="deposit.placed", frozen=True):
    data: DepositData


class DepositRenewed(CoreEvent, tag="deposit.renewed", frozen=True):
    data: DepositData


class DepositRedeemedData(Data, kw_only=True, frozen=True):
    deposit: Id
    amount: Money
    currency: Currency
    left: Money | None = None
    """Of the principal, after it; 0 is nothing. If absent, the principal less the amount."""
    early: bool = False


class DepositRedeemed(CoreEvent, tag="deposit.redeemed", frozen=True):
    data: DepositRedeemedData


class ProductData(Data, kw_only=True, frozen=True):
    holding: Id
    product: Id
    product_class: Name
    """wealth, fund, insurance, …"""
    amount: Money
    currency: Currency
    base_amount: Money | None = None
    risk_level: Whole | None = None
    matures_on: Day | None = None


class ProductRedeemedData(ProductData, kw_only=True, frozen=True):
    left: Money | None = None
    """Of what was paid for it, after the redemption; 0 is nothing. If absent, what was held less
    the amount, which is right as long as nothing was won or lost."""


class ProductPurchased(CoreEvent, tag="product.purchased", frozen=True):
    data: ProductData


class ProductRedeemed(CoreEvent, tag="product.redeemed", frozen=True):
    data: ProductRedeemedData


class LoanData(Data, kw_only=True, frozen=True):
    loan: Id
    kind: Name
    amount: Money
    currency: Currency
    base_amount: Money | None = None
    rate: Rate | None = None
    due_on: Day | None = None


class LoanRepaidData(LoanData, kw_only=True, frozen=True):
    left: Money | None = None
    """Of what is owed, after it; 0 is nothing. If absent, what was owed less the amount."""


class LoanDrawn(CoreEvent, tag="loan.drawn", frozen=True):
    data: LoanData


class LoanRepaid(CoreEvent, tag="loan.repaid", frozen=True):
    data: LoanRepaidData


class RelationData(Data, kw_only=True, frozen=True):
    other: CustomerId
    relation: Name
    """What the other one is to the customer: spouse, company, guarantor, …"""
    reverse: bool = False
    """It is what the customer is to the other one. Set by vipcare where it tells the other one;
    from another source it is refused, since nobody would tell the other one."""


class _RelationEvent(CoreEvent, frozen=True):
    data: RelationData

    def __post_init__(self) -> None:
        if self.data.other == self.subject:
            raise ValueError("a relation to oneself")
        if self.data.reverse and self.source != VIPCARE:
            raise ValueError(
                "reverse is vipcare's own: tell a relation once, of one of the two, without it"
            )


class RelationAdded(_RelationEvent, tag="relation.added", frozen=True):
    data: RelationData


class RelationRemoved(_RelationEvent, tag="relation.removed", frozen=True):
    data: RelationData


class TagData(Data, kw_only=True, frozen=True):
    tag: Name
    given_by: Name | None = None


class TagAdded(CoreEvent, tag="tag.added", frozen=True):
    data: TagData


class TagRemoved(CoreEvent, tag="tag.removed", frozen=True):
    data: TagData


class InterestData(Data, kw_only=True, frozen=True):
    interest: Name
    given_by: Name | None = None
    note: PersonalText | None = None


class InterestRecorded(CoreEvent, tag="interest.recorded", frozen=True):
    data: InterestData


class BenefitData(Data, kw_only=True, frozen=True):
    benefit: Name
    """lounge, gift, airport service, …"""
    place: Name | None = None
    cost: Money | None = None
    currency: Currency | None = None
    base_cost: Money | None = None


class BenefitUsed(CoreEvent, tag="benefit.used", frozen=True):
    data: BenefitData


CoreEvents = (
    CustomerUpdated
    | AccountOpened
    | AccountClosed
    | TransferCompleted
    | TransferReversed
    | BalanceReported
    | DepositPlaced
    | DepositRenewed
    | DepositRedeemed
    | ProductPurchased
    | ProductRedeemed
    | LoanDrawn
    | LoanRepaid
    | RelationAdded
    | RelationRemoved
    | TagAdded
    | TagRemoved
    | InterestRecorded
    | BenefitUsed
)
