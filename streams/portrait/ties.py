"""To whom the customer is related, what interests him or her, what the bank gave."""

from datetime import tzinfo

from schemas.profile import ProfileSection
from streams.fold.interests import benefit_of
from streams.portrait.instants import instant
from streams.portrait.parts import Amount, Table


def tables_of_ties(section: ProfileSection, zone: tzinfo) -> tuple[Table, ...]:
    """Relations, interests and benefits, the newest first."""
    return _relations(section, zone), _interests(section, zone), _benefits(section, zone)


def _relations(section: ProfileSection, zone: tzinfo) -> Table:
    held = [(one.at, key) for key, one in section.relations.items() if one.stands]
    rows = tuple(
        (*relation_of(key), instant(at, zone))
        for at, key in sorted(held, key=lambda one: (-one[0], one[1]))
    )
    dropped = section.dropped.get("relations", 0)
    return Table("relations", ("customer", "is", "since"), rows, dropped)


def relation_of(key: str) -> tuple[str, str]:
    """The other one, and what he or she is; what only the other one named is told as that."""
    other, _, relation = key.partition(" ")
    if relation.startswith("<"):
        return other, f"names this customer as {relation[1:]}"
    return other, relation


def _interests(section: ProfileSection, zone: tzinfo) -> Table:
    held = sorted(section.interests.items(), key=lambda one: (-one[1].at, one[0]))
    rows = tuple((name, one.source, instant(one.at, zone)) for name, one in held)
    dropped = section.dropped.get("interests", 0)
    return Table("interests", ("interest", "known_from", "recorded"), rows, dropped)


def _benefits(section: ProfileSection, zone: tzinfo) -> Table:
    held = sorted(section.benefits.items(), key=lambda one: (-one[1].last_at, one[0]))
    rows = []
    for key, one in held:
        cost = Amount(one.cost, one.currency) if one.currency else None
        base = Amount(one.base_cost) if one.base_cost else None
        rows.append((benefit_of(key, one), one.count, cost, base, instant(one.last_at, zone)))
    columns = ("benefit", "times", "cost", "in_base_currency", "last")
    return Table("benefits", columns, tuple(rows))
