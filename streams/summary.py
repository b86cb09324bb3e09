"""The customer as `vip.profiles` tells it: sent only when one of its fields changed."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, TypeVar

from msgspec import structs

from schemas.activity import unpack_behaviour
from schemas.effects import CardDetails, Cause, ProfileData, encode_profile_data
from schemas.envelope import from_millis
from schemas.profile import NEVER, Basics, Benefit, Card, ProfileSection
from schemas.record import Record
from streams.assets import NOTHING, worth
from streams.attributes import NONE_DECLARED, Attributes
from streams.contribution import contribution
from streams.fold import ASSET_FOLDS, PROFILE_FOLDS
from streams.fold.interests import benefit_of
from streams.fold.service_line import CONTACT_TYPES
from streams.inputs import Input
from streams.mirror import is_mirror
from streams.months import month_name

SUMMARY_TYPES = frozenset((*ASSET_FOLDS, *PROFILE_FOLDS, *CONTACT_TYPES))
"""The event types that can change a summary, beside any that is the first of a month: then whole
months say something else. Others need not look."""

T = TypeVar("T")

_CAUSE, _AFTER_CAUSE = b',"cause":', b',"occupation":'


class Summary(NamedTuple):
    data: ProfileData
    encoded: bytes
    """As JSON: what it is sent as, and what tells whether it changed."""


def may_change_summary(record: Record, event: Input, *, beside: bool) -> bool:
    """A record's first event makes a summary, whatever it is; but who is only named by another
    customer's relation is perhaps no customer, and has none before an event of its own.

    `beside` the event's type something may change it: a month began, a rule changed the record.
    """
    if record.header.is_customer:
        return beside or event.type in SUMMARY_TYPES
    return not is_mirror(event)


def changed_summary(
    record: Record, cause: Cause, attributes: Attributes = NONE_DECLARED
) -> Summary | None:
    """The next version of a customer's summary, noted in the header; None if it is as it was."""
    head = record.header
    summary = _summary(record, head.summary_version + 1, cause, attributes)
    encoded = encode_profile_data(summary)
    digest = _digest(encoded)
    if head.summary_version and digest == head.summary_digest:
        return None
    head.summary_version, head.summary_digest = summary.version, digest
    return Summary(summary, encoded)


def _summary(record: Record, version: int, cause: Cause, attributes: Attributes) -> ProfileData:
    profile, activity = record.profile, record.activity
    basics, seen = profile.basics, unpack_behaviour(activity.behaviour)
    reckoned = worth(record)
    sums, (assets, loans) = reckoned.totals, reckoned.months(seen.month)
    given, refused = _consents(basics)
    cards, scores = _by_name(profile.cards), _by_name(profile.scores)
    benefit_uses, benefit_costs = _benefits(_by_name(profile.benefits))
    return ProfileData(
        version=version,
        name=basics.name,
        tier=basics.tier,
        rm=basics.rm,
        residence=basics.residence,
        language=basics.language,
        opened_on=basics.opened_on,
        occupation=basics.occupation,
        family=len(basics.family or ()),
        consents_given=given,
        consents_refused=refused,
        tags=sorted(profile.tags),
        interests=sorted(profile.interests),
        relations=[key for key, one in _by_name(profile.relations) if one.stands],
        accounts=sums.accounts,
        base_balance=sums.balance,
        deposits=sums.deposits,
        base_deposits=sums.base_deposits,
        next_maturity=_next_maturity(profile),
        holdings=sums.holdings,
        base_wealth=sums.wealth,
        base_funds=sums.funds,
        base_insurance=sums.insurance,
        base_other=sums.other,
        loans=sums.loans,
        base_loans=sums.base_loans,
        base_assets=sums.assets,
        base_net=sums.net,
        assets_by_month={month_name(month): total for month, total in assets.items()},
        loans_by_month={month_name(month): total for month, total in loans.items()},
        cards=len(cards),
        card_details=[told for name, one in cards for told in card_details(name, one)],
        standing_limits=_standing_limits(cards),
        base_inflow=seen.inflow,
        base_outflow=seen.outflow,
        base_spent=seen.spent,
        categories=seen.categories,
        regular_inflows=len(seen.regular),
        base_regular_inflow=sum([one.amount for one in seen.regular], NOTHING),
        contacts=activity.contacts,
        last_contact_at=_instant(activity.last_contact_at),
        benefits=sum(benefit_uses.values()),
        base_benefit_cost=sum(benefit_costs.values(), NOTHING),
        benefit_uses=benefit_uses,
        base_benefit_costs=benefit_costs,
        base_contribution=contribution(sums, seen.spent),
        attributes=attributes.public_texts(profile.attributes),
        interest_sources={
            name: one.source for name, one in _by_name(profile.interests) if one.source
        },
        dropped=dict(_by_name(profile.dropped)),
        scores={name: one.points for name, one in scores},
        high_scores=[name for name, one in scores if one.raised],
        cause=cause,
    )


def _by_name(things: dict[str, T]) -> Sequence[tuple[str, T]]:
    """Many customers have none of a kind."""
    return sorted(things.items()) if things else ()


def _instant(at: int) -> datetime | None:
    return None if at == NEVER else from_millis(at)


def card_details(name: str, card: Card) -> Iterator[CardDetails]:
    """One for each currency: of the limit, and of the last statement if that has another."""
    apart = bool(card.statement) and card.limit is not None
    apart = apart and card.statement_currency != card.limit_currency
    limited = CardDetails(
        card=name,
        product=card.product,
        currency=card.currency if card.limit is None else card.limit_currency,
        limit=card.limit,
        limit_until=card.limit_until,
        amount_due=None,
        due_on=None,
    )
    if not card.statement:
        yield limited
        return
    due = {"amount_due": card.amount_due, "due_on": card.due_on}
    due["currency"] = card.statement_currency
    if apart:
        yield limited
        yield structs.replace(limited, limit=None, limit_until=None, **due)
    else:
        yield structs.replace(limited, **due)


def _standing_limits(cards: Sequence[tuple[str, Card]]) -> dict[str, Decimal]:
    return {
        name: one.standing
        for name, one in cards
        if one.limit_until is not None and one.standing is not None
    }


def _benefits(used: Sequence[tuple[str, Benefit]]) -> tuple[dict[str, int], dict[str, Decimal]]:
    """Uses and costs by name, whatever the currencies that they cost something in."""
    uses: dict[str, int] = {}
    costs: dict[str, Decimal] = {}
    for key, one in used:
        name = benefit_of(key, one)
        uses[name] = uses.get(name, 0) + one.count
        if one.base_cost:
            costs[name] = costs.get(name, NOTHING) + one.base_cost
    return uses, costs


def _consents(basics: Basics) -> tuple[list[str], list[str]]:
    """Those given and those refused, sorted."""
    given: list[str] = []
    refused: list[str] = []
    for purpose, channels in (basics.consents or {}).items():
        for channel, consent in channels.items():
            (given if consent else refused).append(f"{purpose}/{channel}")
    return sorted(given), sorted(refused)


def _next_maturity(profile: ProfileSection) -> str | None:
    deposits = (one for one in profile.deposits.values() if one.state == "open")
    return min((one.matures_on for one in deposits if one.matures_on), default=None)


def _digest(encoded: bytes) -> bytes:
    """Of what the summary says, not of its version, which comes first, and of its cause: no text
    holds their names, as a quote in one has a backslash before it."""
    cause = encoded.index(_CAUSE) + len(_CAUSE)
    digest = hashlib.blake2b(encoded[encoded.index(b",") : cause], digest_size=8)
    digest.update(encoded[encoded.index(_AFTER_CAUSE, cause) :])
    return digest.digest()
