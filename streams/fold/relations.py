"""Relations to other customers. Both see them: see streams/mirror.py."""

from schemas.events.core import RelationData
from schemas.profile import ProfileSection, Relation
from streams.fold.bounded import cut, trim
from streams.months import Moment

MAX_RELATIONS = 45


def added(profile: ProfileSection, data: RelationData, when: Moment) -> None:
    _say(profile, data, when, stands=True)


def removed(profile: ProfileSection, data: RelationData, when: Moment) -> None:
    _say(profile, data, when, stands=False)


def relation_key(other: str, relation: str, *, reverse: bool) -> str:
    """A customer's id has no blank, so the key can be read again."""
    return f"{other} {'<' if reverse else ''}{cut(relation)}"


def _say(profile: ProfileSection, data: RelationData, when: Moment, *, stands: bool) -> None:
    relations = profile.relations
    key = relation_key(data.other, data.relation, reverse=data.reverse)
    kept = relations.get(key)
    if kept is None or when.at >= kept.at:
        relations[key] = Relation(at=when.at, stands=stands)
        trim(profile.dropped, "relations", relations, MAX_RELATIONS, lambda one: one.at)
