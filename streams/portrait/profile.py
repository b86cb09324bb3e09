"""Who the customer is."""

from collections.abc import Callable, Mapping
from datetime import date

from schemas.events.core import FamilyMember
from schemas.profile import Basics, ProfileSection
from streams.portrait import masks
from streams.portrait.parts import Fact, Facts, Value, known

_MASKS: Mapping[str, Callable[[str], str]] = {
    "name": masks.head,
    "employer": masks.head,
    "birthday": masks.day,
    "phone": masks.tail,
    "email": masks.email,
    "identity_number": masks.tail,
}
_DAYS = {"birthday", "opened_on"}
_ORDER = (
    "name",
    "tier",
    "rm",
    "opened_on",
    "residence",
    "language",
    "occupation",
    "employer",
    "birthday",
    "phone",
    "email",
    "identity_number",
)


def profile(section: ProfileSection, *, personal: bool) -> Facts:
    """Basics, family, tags, and what the customer consents to."""
    basics = section.basics
    facts = [Fact(name, _basic(basics, name, personal=personal)) for name in _ORDER]
    family = tuple(_member(one, personal=personal) for one in basics.family or ())
    facts += [Fact("family", family), Fact("tags", tuple(sorted(section.tags)))]
    for purpose, channels in sorted((basics.consents or {}).items()):
        facts.append(Fact(f"consent_{purpose}", dict(sorted(channels.items()))))
    return Facts("profile", known(*facts))


def attributes(section: ProfileSection) -> Facts:
    """The fields that the bank adds itself."""
    held = sorted(section.attributes.items())
    return Facts("attributes", tuple(Fact(name, value) for name, value in held))


def _basic(basics: Basics, name: str, *, personal: bool) -> Value:
    value: str | None = getattr(basics, name)
    if value is None:
        return None
    if name in _MASKS and not personal:
        return _MASKS[name](value)
    return as_day(value) if name in _DAYS else value


def _member(member: FamilyMember, *, personal: bool) -> str:
    told = [member.relation]
    if member.name is not None:
        told.append(member.name if personal else masks.head(member.name))
    if member.birthday is not None:
        told.append(member.birthday if personal else masks.day(member.birthday))
    if member.customer is not None:
        told.append(f"customer {member.customer}")
    return " · ".join(told)


def as_day(text: str) -> date | str:
    """A day as such; what no calendar has stays the text that it is."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text
