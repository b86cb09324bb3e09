"""The customer as `vip.profiles` tells it: sent only when one of its fields changed."""

import hashlib
from decimal import Decimal

import msgspec

from schemas.effects import Cause, ProfileData
from schemas.profile import ProfileSection
from schemas.record import Record
from streams.fold.accounts import is_open

SUMMARY_TYPES = frozenset(
    {
        "customer.updated",
        "tag.added",
        "tag.removed",
        "account.opened",
        "account.closed",
        "balance.reported",
        "deposit.placed",
        "deposit.renewed",
        "deposit.redeemed",
    }
)
"""The event types that can change a summary; others need not look."""

_pack = msgspec.msgpack.Encoder(decimal_format="string").encode


def may_change_summary(record: Record, event_type: str) -> bool:
    return event_type in SUMMARY_TYPES or not record.header.summary_version


def changed_summary(record: Record, cause: Cause) -> ProfileData | None:
    """The next version of a customer's summary, noted in the header; None if it is as it was."""
    head = record.header
    summary = _summary(record.profile, head.summary_version + 1, cause)
    digest = _digest(summary)
    if head.summary_version and digest == head.summary_digest:
        return None
    head.summary_version, head.summary_digest = summary.version, digest
    return summary


def _summary(profile: ProfileSection, version: int, cause: Cause) -> ProfileData:
    basics = profile.basics
    accounts = [account for account in profile.accounts.values() if is_open(account)]
    deposits = [deposit for deposit in profile.deposits.values() if deposit.state == "open"]
    return ProfileData(
        version=version,
        name=basics.name,
        tier=basics.tier,
        rm=basics.rm,
        residence=basics.residence,
        language=basics.language,
        opened_on=basics.opened_on,
        tags=sorted(profile.tags),
        accounts=len(accounts),
        base_balance=sum((account.base_balance for account in accounts), Decimal(0)),
        deposits=len(deposits),
        base_deposits=sum((deposit.base_principal for deposit in deposits), Decimal(0)),
        next_maturity=min((d.matures_on for d in deposits if d.matures_on), default=None),
        cause=cause,
    )


def _digest(summary: ProfileData) -> bytes:
    """Of what the summary says, not of its version and cause."""
    told = [getattr(summary, name) for name in _TOLD]
    return hashlib.blake2b(_pack(told), digest_size=8).digest()


_TOLD = tuple(n for n in ProfileData.__struct_fields__ if n not in {"version", "cause"})
