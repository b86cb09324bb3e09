"""Who the customer is."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

from schemas.events.core import FamilyMember
from schemas.profile import AttributeValue, Basics, ProfileSection
from streams.attributes import Attributes
from streams.portrait import masks
from streams.portrait.parts import Amount, Fact, Facts, Value, known

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
    facts.append(Fact("scores", {name: one.points for name, one in sorted(section.scores.items())}))
    for purpose, channels in sorted((basics.consents or {}).items()):
        facts.append(Fact(f"consent_{purpose}", dict(sorted(channels.items()))))
    return Facts("profile", known(*facts))


def attributes(section: ProfileSection, declared: Attributes, *, personal: bool) -> Facts:
    """The fields that the bank adds itself, in the order of their declarations."""
    order = {name: number for number, name in enumerate(declared.declared)}
    names = sorted(section.attributes, key=lambda name: (order.get(name, len(order)), name))
    facts = []
    for name in names:
        value = section.attributes[name]
        told = _attribute(name, value, declared) if declared.fits(name, value) else _plain(value)
        shown = personal or (name in declared.public and declared.fits(name, value))
        definition = declared.declared.get(name)
        title = definition.title.model_dump() if definition else None
        facts.append(Fact(name, told if shown else masks.COVERED, title))
    return Facts("attributes", tuple(facts))


def _attribute(name: str, value: AttributeValue, declared: Attributes) -> Value:
    match declared.declared[name].type:
        case "amount":
            return Amount(Decimal(str(value)))
        case "decimal":
            return Decimal(str(value))
        case "date":
            return as_day(str(value))
        case _:
            return _plain(value)


def _plain(value: AttributeValue) -> Value:
    return tuple(value) if isinstance(value, list) else value


def _basic(basics: Basics, name: str, *, personal: bool) -> Value:
    value: str | None = getattr(basics, name)
    if value is None:
        return None
    if name in _MASKS and not personal:
        return _MASKS[name](value)
    return as_day(value) if name in _DAYS else value


def _member(member: FamilyMember, *, personal: bool) -> dict[str, str]:
    told = {"relation": member.relation}
    if member.name is not None:
        told["name"] = member.name if personal else masks.head(member.name)
    if member.birthday is not None:
        told["birthday"] = member.birthday if personal else masks.day(member.birthday)
    if member.customer is not None:
        told["customer"] = member.customer
    return told


def as_day(text: str) -> date | str:
    """A day as such; what no calendar has stays the text that it is."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text
