"""Cards, their limits and statements; and, in the activity, what is paid with each."""

from datetime import date
from decimal import Decimal

from schemas.activity import ActivitySection, Use
from schemas.events.card import CardIssuedData, CardLimitData, StatementData
from schemas.profile import NEVER, Card, ProfileSection
from streams.fold.bounded import cut, key_of, trim
from streams.months import Moment

MAX_CARDS = 20
MAX_USED_CARDS = 20


def issued(profile: ProfileSection, data: CardIssuedData, when: Moment) -> None:
    card = _card(profile, data.card, data.currency, when)
    if when.at >= (card.issued_at or 0):
        card.product, card.issued_at = cut(data.product), when.at
    if data.limit is not None:
        _limit(card, data.limit, data.currency, None, when)
    _trim(profile)


def limit_changed(profile: ProfileSection, data: CardLimitData, when: Moment) -> None:
    card = _card(profile, data.card, data.currency, when)
    _limit(card, data.limit, data.currency, data.temporary_until, when)
    if data.temporary_until is not None and data.previous is not None:
        _standing(card, data.previous, NEVER - 1 - when.at)
    _trim(profile)


def statement_issued(profile: ProfileSection, data: StatementData, when: Moment) -> None:
    card = _card(profile, data.card, data.currency, when)
    if when.at >= card.statement_at:
        card.statement, card.statement_at = cut(data.statement), when.at
        card.amount_due, card.due_on = data.amount_due, data.due_on
        card.statement_currency = data.currency
    _trim(profile)


def paid(activity: ActivitySection, name: str, base: Decimal, when: Moment) -> None:
    """Count a payment, or with a negative amount its reversal, for the card's last two months."""
    uses = activity.uses
    key = key_of(name)
    use = uses.get(key)
    if use is None:
        use = uses[key] = Use(month=when.month)
    if when.month > use.month:
        use.before = use.base_total if when.month == use.month + 1 else Decimal(0)
        use.month, use.base_total = when.month, Decimal(0)
    if when.month == use.month:
        use.base_total += base
    elif when.month == use.month - 1:
        use.before += base
    if len(uses) > MAX_USED_CARDS:
        trim(activity.dropped, "uses", uses, MAX_USED_CARDS, lambda one: one.month)


def in_force(
    limit: Decimal | None, until: str | None, standing: Decimal | None, day: date
) -> tuple[Decimal | None, str | None]:
    """The limit that holds on a day, and until when if it is temporary."""
    over = until is not None and until < day.isoformat()
    return (standing, None) if over else (limit, until)


def _card(profile: ProfileSection, name: str, currency: str, when: Moment) -> Card:
    card = profile.cards.setdefault(key_of(name), Card())
    if when.at >= card.changed_at:
        card.currency, card.changed_at = currency, when.at
    return card


def _limit(card: Card, limit: Decimal, currency: str, until: str | None, when: Moment) -> None:
    if when.at < card.limit_at:
        if until is None:
            _standing(card, limit, when.at)
        return
    if card.limit is not None and card.limit_until is None:
        _standing(card, card.limit, card.limit_at)
    card.limit, card.limit_until, card.limit_at = limit, until, when.at
    card.limit_currency = currency


def _standing(card: Card, limit: Decimal, at: int) -> None:
    if card.standing_at is None or at >= card.standing_at:
        card.standing, card.standing_at = limit, at


def _trim(profile: ProfileSection) -> None:
    trim(profile.dropped, "cards", profile.cards, MAX_CARDS, lambda card: card.changed_at)
