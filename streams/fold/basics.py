"""Who the customer is: attributes as patches, tags. The last writer by event time wins."""

from collections.abc import Container, Iterable
from typing import Any

from msgspec import UNSET

from schemas.consents import CHANNELS, PURPOSES
from schemas.events.core import CustomerData, FamilyMember, TagData
from schemas.profile import NEVER, AttributeValue, Basics, ProfileSection
from streams.fold.bounded import count_dropped, cut, trim
from streams.months import Moment

MAX_ATTRIBUTES = 64
"""As many as can be declared."""
MAX_TAGS = 64
MAX_WRITTEN = 160
MAX_FAMILY = 20
MAX_TEXT_BYTES = 200
MAX_PURPOSES = 12
MAX_CHANNELS = 12

_FIELDS = tuple(Basics.__struct_fields__)


def customer_updated(profile: ProfileSection, data: CustomerData, when: Moment) -> None:
    for name in _FIELDS:
        value = getattr(data, name)
        if value is UNSET:
            continue
        kept = _fitting(profile, name, value)
        if _wins(profile, name, when.at):
            setattr(profile.basics, name, kept)
    if data.attributes is not UNSET:
        for name, value in data.attributes.items():
            _set_attribute(profile, name, value, when.at)


def tag_added(profile: ProfileSection, data: TagData, when: Moment) -> None:
    add_tag(profile, cut(data.tag), when.at)


def tag_removed(profile: ProfileSection, data: TagData, when: Moment) -> None:
    remove_tag(profile, cut(data.tag), when.at)


def add_tag(profile: ProfileSection, tag: str, at: int) -> None:
    if _wins(profile, f"tag:{tag}", at):
        profile.tags[tag] = at
        trim(profile.dropped, "tags", profile.tags, MAX_TAGS, _itself)


def remove_tag(profile: ProfileSection, tag: str, at: int) -> None:
    if _wins(profile, f"tag:{tag}", at):
        profile.tags.pop(tag, None)


def _fitting(profile: ProfileSection, name: str, value: Any) -> Any:
    """A value as it is kept; what of a list does not fit is counted once an event."""
    if isinstance(value, str):
        return cut(value, MAX_TEXT_BYTES)
    if name == "family" and value is not None:
        if len(value) > MAX_FAMILY:
            count_dropped(profile.dropped, "family")
        return [_member(one) for one in value[:MAX_FAMILY]]
    if name == "consents" and value is not None:
        purposes = _known_first(value, PURPOSES)[:MAX_PURPOSES]
        kept = {cut(purpose): _channels(value[purpose]) for purpose in purposes}
        if sum(map(len, kept.values())) < sum(map(len, value.values())):
            count_dropped(profile.dropped, "consents")
        return kept
    return value


def _member(member: FamilyMember) -> FamilyMember:
    return FamilyMember(
        relation=cut(member.relation),
        name=None if member.name is None else cut(member.name, MAX_TEXT_BYTES),
        birthday=member.birthday,
        customer=member.customer,
    )


def _channels(channels: dict[str, bool]) -> dict[str, bool]:
    return {cut(name): channels[name] for name in _known_first(channels, CHANNELS)[:MAX_CHANNELS]}


def _known_first(names: Iterable[str], known: Container[str]) -> list[str]:
    """What no rule asks for gives way: a refusal is not to be lost for it."""
    return sorted(names, key=lambda name: (name.casefold() not in known, name))


def _set_attribute(
    profile: ProfileSection, name: str, value: AttributeValue | None, at: int
) -> None:
    """Only what is declared, and of its type, comes here (streams/intake.py)."""
    held, written = profile.attributes, profile.written
    if not _wins(profile, f"attributes.{name}", at):
        return
    if value is None:
        held.pop(name, None)
        return
    held[name] = value
    if len(held) > MAX_ATTRIBUTES:
        # There are no more than that declared, so some are not declared any longer.
        del held[min(held, key=lambda one: (written.get(f"attributes.{one}", NEVER), one))]
        count_dropped(profile.dropped, "attributes")


def _wins(profile: ProfileSection, name: str, at: int) -> bool:
    """Whether a write at this event time is the last one so far; if so, it is noted."""
    written = profile.written
    if at < written.get(name, at):
        return False
    written[name] = at
    trim(profile.dropped, "written", written, MAX_WRITTEN, _itself)
    return True


def _itself(at: int) -> int:
    return at
