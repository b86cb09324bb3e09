"""The customer's own dates that rules wait for: birthdays, the family's too, the day on which the
first account was opened, and dates that the bank adds itself.

Birthdays identify a person: rules use that a day comes, and never see which.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b

from schemas.events.core import CustomerData
from schemas.profile import ProfileSection
from streams.expressions.nodes import Base, Type
from streams.expressions.values import attribute_reader

OWN = "own"
FAMILY = "family"
TYPE = "customer.updated"
"""The event type that tells them."""
ATTRIBUTES = "attributes."
FIELDS = ("birthday", "opened_on")

_read_day = attribute_reader(Type(Base.DAY))


def own_day(profile: ProfileSection, date: str) -> Mapping[str, str]:
    """The date of the customer by its name, such as `opened_on` or `attributes.x`, if there is
    one."""
    if date.startswith(ATTRIBUTES):
        day = _read_day(profile.attributes, date.removeprefix(ATTRIBUTES))
    else:
        day = getattr(profile.basics, date)
    return {} if day is None else {date: day}


def birthdays(profile: ProfileSection, relations: tuple[str, ...]) -> Mapping[str, str]:
    """The birthdays of the members of the family who are one of these to the customer, each under a
    name that does not tell it: twins have one."""
    return dict(_birthdays(profile, relations))


def _birthdays(profile: ProfileSection, relations: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for member in profile.basics.family or ():
        if member.birthday is not None and member.relation in relations:
            named = repr((member.relation, member.birthday)).encode()
            yield blake2b(named, digest_size=8).hexdigest(), member.birthday


def tell(profile: ProfileSection) -> CustomerData:
    """The customer, as customer.updated would tell what rules see of it now."""
    basics = profile.basics
    return CustomerData(
        opened_on=basics.opened_on,
        tier=basics.tier,
        rm=basics.rm,
        occupation=basics.occupation,
        residence=basics.residence,
        language=basics.language,
    )
