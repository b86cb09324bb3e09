"""What the customer does, what is done about it, and what the record says of itself."""

from datetime import tzinfo

from schemas.activity import ActivitySection, unpack_behaviour
from schemas.record import Record
from streams.assets import totals
from streams.contribution import contribution
from streams.portrait.instants import instant
from streams.portrait.merchant_categories import category_name
from streams.portrait.parts import Amount, Fact, Facts, Table, frequent_first, known


def behaviour(record: Record, zone: tzinfo) -> Facts:
    """Since the record began, and in the last three whole months, the newest one left out."""
    activity = record.activity
    into, out, visits = activity.inflow, activity.outflow, activity.visits
    seen = unpack_behaviour(activity.behaviour)
    return Facts(
        "behaviour",
        known(
            Fact("transfers_in", into.count),
            Fact("transferred_in", Amount(into.base_total)),
            Fact("last_transfer_in", instant(into.last_at, zone)),
            Fact("transfers_out", out.count),
            Fact("transferred_out", Amount(out.base_total)),
            Fact("last_transfer_out", instant(out.last_at, zone)),
            Fact("three_months_in", Amount(seen.inflow)),
            Fact("three_months_out", Amount(seen.outflow)),
            Fact("three_months_spent_with_cards", Amount(seen.spent)),
            Fact("three_months_categories", tuple(map(category_name, seen.categories))),
            Fact("contribution_a_year", Amount(contribution(totals(record.profile), seen.spent))),
            Fact("logins", visits.logins),
            Fact("last_login", instant(visits.last_login_at, zone)),
            Fact("logins_by_channel", frequent_first(visits.by_channel)),
            Fact("pages_viewed", visits.pages),
            Fact("pages_by_topic", frequent_first(visits.by_topic)),
            Fact("questions", visits.questions or None),
        ),
    )


def tables_of_behaviour(activity: ActivitySection) -> tuple[Table, ...]:
    """What comes in month after month, and how far the customer came in the app."""
    regular = tuple(
        (one.purpose or None, Amount(one.amount), one.day, one.months)
        for one in unpack_behaviour(activity.behaviour).regular
    )
    journeys = tuple(
        (name, started, completed, abandoned)
        for name, (started, completed, abandoned) in sorted(activity.visits.journeys.items())
    )
    return (
        Table("regular_inflows", ("purpose", "amount", "day_of_month", "months"), regular),
        Table("journeys", ("journey", "started", "completed", "abandoned"), journeys),
    )


def care(activity: ActivitySection, zone: tzinfo) -> Facts:
    """What became of tasks, as the CRM told it."""
    told = activity.care
    counts = {
        name: getattr(told, name)
        for name in ("accepted", "started", "completed", "declined", "contacts", "reached")
        if getattr(told, name)
    }
    return Facts(
        "care",
        known(
            Fact("tasks", counts),
            Fact("last_contact", instant(told.last_contact_at, zone)),
            Fact("outcomes", frequent_first(told.outcomes)),
            Fact("won", Amount(told.base_won) if told.base_won else None),
        ),
    )


def record_facts(record: Record, zone: tzinfo) -> Facts:
    """How the record came to be, and what fell off it."""
    activity = record.activity
    fell = dict(record.profile.dropped)
    for name, count in activity.dropped.items():
        fell[name] = fell.get(name, 0) + count
    return Facts(
        "record",
        known(
            Fact("inputs", record.header.sequence),
            Fact("first_event", instant(activity.first_seen, zone)),
            Fact("last_event", instant(activity.latest, zone)),
            Fact("late_events", activity.late),
            Fact("fell_off", frequent_first(fell)),
            Fact("bytes", len(record.stored) if record.stored else None),
        ),
    )
