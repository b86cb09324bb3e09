"""What an archive has of one customer."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from agents.backtest.archived import DATED_AHEAD, UNKNOWN, Archived
from agents.backtest.spill import mirror_of, time_and_type
from schemas.dead_letters import Reason
from schemas.events.campaign import CAMPAIGNS
from schemas.events.reference import GLOBAL_TOPICS
from streams.context import CoreSettings
from streams.inputs import Raw
from streams.intake import Entry, read, reject
from streams.mirror import MIRRORED
from streams.partitioning import partition_of


class OfCustomer(NamedTuple):
    entries: list[Entry]
    facts: list[tuple[int, Raw]]
    """With the times from which they hold, epoch milliseconds."""
    begin: int
    """From when on and up to when the archive goes, epoch milliseconds."""
    end: int
    sent: Mapping[tuple[str, int], int]
    """When what stands at a place of a topic was sent, where that is told."""


def _refused(raw: Raw, core: CoreSettings) -> Entry:
    """What has no time, or was dated in the future when it was sent."""
    entry = read(raw, core)
    if entry.input is None:
        return entry
    letter = reject(raw, Reason.FUTURE, DATED_AHEAD, entry.input.event)
    return Entry(raw, problem=letter)


def of_customer(
    customer: str, archive: Iterable[Archived], core: CoreSettings, now: int
) -> OfCustomer:
    """`now` is the bank's time, epoch milliseconds: what is dated later did not happen."""
    sent_at: dict[tuple[str, int], int] = {}
    key, entries, facts = customer.encode(), list[Entry](), list[tuple[int, Raw]]()
    partition, begin, end = partition_of(key, core.partitions), now, 0
    campaigns = set[bytes]()
    for one in archive:
        at, kind = time_and_type(one.value)
        if one.topic in GLOBAL_TOPICS:
            raw = Raw(one.topic, 0, one.offset, one.key, one.value)
            holds = max(one.sent, 0) if at is None else at
            if one.topic == CAMPAIGNS:
                # What corrects a campaign may say the campaign's own time, and was not known then.
                holds = max(holds, one.sent) if one.key in campaigns else holds
                campaigns.add(one.key)
                end = max(end, holds) if holds <= now else end
            facts.append((holds, raw))
            continue
        if at is None or one.is_dated_ahead(at, now, core.future_tolerance):
            entries += [_refused(one.raw(partition), core)] if one.key == key else []
        else:
            begin, end = min(begin, at), max(end, at)
            mirror = mirror_of(one, core) if kind in MIRRORED else None
            mine = [each for each in (one, mirror) if each is not None and each.key == key]
            sent_at |= {(each.topic, each.offset): one.sent for each in mine if one.sent != UNKNOWN}
            entries += [read(each.raw(partition), core) for each in mine]
    return OfCustomer(entries, facts, begin, end, sent_at)
