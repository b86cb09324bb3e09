"""Who the customer is: attributes as patches, tags. The last writer by event time wins."""

from msgspec import UNSET

from schemas.events.core import CustomerData, TagData
from schemas.profile import Basics, ProfileSection
from streams.fold.bounded import count_dropped, make_room

MAX_ATTRIBUTES = 64
MAX_ATTRIBUTE_LENGTH = 500
MAX_TAGS = 64
MAX_WRITTEN = 256
MAX_FAMILY = 20

_FIELDS = tuple(Basics.__struct_fields__)


def customer_updated(profile: ProfileSection, data: CustomerData, at: int) -> None:
    for name in _FIELDS:
        value = getattr(data, name)
        if value is UNSET or not _wins(profile, name, at):
            continue
        if name == "family" and value is not None and len(value) > MAX_FAMILY:
            value = value[:MAX_FAMILY]
            count_dropped(profile, "family")
        setattr(profile.basics, name, value)
    if data.attributes is not UNSET:
        for name, value in data.attributes.items():
            _set_attribute(profile, name, value, at)


def tag_added(profile: ProfileSection, data: TagData, at: int) -> None:
    if _wins(profile, f"tag:{data.tag}", at) and data.tag not in profile.tags:
        make_room(profile, "tags", profile.tags, MAX_TAGS, lambda since: since)
        profile.tags[data.tag] = at


def tag_removed(profile: ProfileSection, data: TagData, at: int) -> None:
    if _wins(profile, f"tag:{data.tag}", at):
        profile.tags.pop(data.tag, None)


def _set_attribute(
    profile: ProfileSection, name: str, value: str | int | bool | None, at: int
) -> None:
    if len(name) > MAX_ATTRIBUTE_LENGTH or not _wins(profile, f"attributes.{name}", at):
        return
    if value is None:
        profile.attributes.pop(name, None)
    elif name in profile.attributes or len(profile.attributes) < MAX_ATTRIBUTES:
        cut = value[:MAX_ATTRIBUTE_LENGTH] if isinstance(value, str) else value
        profile.attributes[name] = cut
    else:
        count_dropped(profile, "attributes")


def _wins(profile: ProfileSection, name: str, at: int) -> bool:
    """Whether a write at this event time is the last one so far; if so, it is noted."""
    written = profile.written
    if at < written.get(name, at):
        return False
    if name not in written:
        make_room(profile, "written", written, MAX_WRITTEN, lambda when: when)
    written[name] = at
    return True
