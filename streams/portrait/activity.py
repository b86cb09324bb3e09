"""What the customer does, and what the record says of itself."""

from datetime import tzinfo

from schemas.activity import ActivitySection
from schemas.record import Record
from streams.portrait.instants import instant
from streams.portrait.parts import Amount, Fact, Facts, known


def behaviour(activity: ActivitySection, zone: tzinfo) -> Facts:
    """Transfers, logins and page views since the record began."""
    into, out, visits = activity.inflow, activity.outflow, activity.visits
    return Facts(
        "behaviour",
        known(
            Fact("transfers_in", into.count),
            Fact("transferred_in", Amount(into.base_total)),
            Fact("last_transfer_in", instant(into.last_at, zone)),
            Fact("transfers_out", out.count),
            Fact("transferred_out", Amount(out.base_total)),
            Fact("last_transfer_out", instant(out.last_at, zone)),
            Fact("logins", visits.logins),
            Fact("last_login", instant(visits.last_login_at, zone)),
            Fact("logins_by_channel", _counts(visits.by_channel)),
            Fact("pages_viewed", visits.pages),
            Fact("pages_by_topic", _counts(visits.by_topic)),
        ),
    )


def record_facts(record: Record, zone: tzinfo) -> Facts:
    """How the record came to be, and what fell off it."""
    activity = record.activity
    return Facts(
        "record",
        known(
            Fact("inputs", record.header.sequence),
            Fact("first_event", instant(activity.first_seen, zone)),
            Fact("last_event", instant(activity.latest, zone)),
            Fact("late_events", activity.late),
            Fact("fell_off", _counts(record.profile.dropped)),
        ),
    )


def _counts(counts: dict[str, int]) -> dict[str, int]:
    """The most frequent first."""
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
