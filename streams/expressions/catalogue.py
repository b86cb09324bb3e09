"""The field catalogue: which names an expression can use, and of which type they are.

It is read off the event structs. Fields that identify a person are not in it: what a rule looked at
is written into its effects.
"""

from dataclasses import replace
from functools import cache
from typing import get_type_hints

import msgspec
from msgspec import UnsetType, inspect

from schemas.attributes import AttributeType
from schemas.events import RULE_TYPES
from schemas.events.core import CustomerData
from schemas.fields import COUNTRY, CURRENCY, MONEY_DECIMALS, RATE_DECIMALS, SENSITIVE
from streams.attributes import Attributes
from streams.expressions.nodes import Base, Type

Fields = dict[str, Type]


@cache
def event_fields(event_type: str) -> Fields:
    """The fields of one event type's data."""
    return _fields(get_type_hints(RULE_TYPES[event_type])["data"])[0]


@cache
def personal_fields(event_type: str) -> frozenset[str]:
    """The fields of one event type's data that identify a person."""
    return _fields(get_type_hints(RULE_TYPES[event_type])["data"])[1]


@cache
def profile_fields() -> Fields:
    """The fields of the customer's profile: those of customer.updated, all of them optional, and
    the totals of streams/assets.py, which are always known."""
    return _fields(CustomerData)[0] | {name: _total(name) for name in TOTALS}


def _total(name: str) -> Type:
    money = name.startswith("base_")
    return Type(Base.NUMBER, decimals=MONEY_DECIMALS if money else 0)


TOTALS = {
    "accounts": "accounts",
    "base_balance": "balance",
    "deposits": "deposits",
    "base_deposits": "base_deposits",
    "holdings": "holdings",
    "base_wealth": "wealth",
    "base_funds": "funds",
    "base_insurance": "insurance",
    "loans": "loans",
    "base_loans": "base_loans",
    "base_assets": "assets",
    "base_net": "net",
}
"""What rules call a total, by the name that vip.profiles has for it → its name among Totals."""


ATTRIBUTE_TYPES: dict[AttributeType, Type] = {
    "text": Type(Base.TEXT, optional=True),
    "number": Type(Base.NUMBER, optional=True),
    "decimal": Type(Base.NUMBER, optional=True, decimals=RATE_DECIMALS),
    "amount": Type(Base.NUMBER, optional=True, decimals=MONEY_DECIMALS),
    "date": Type(Base.DAY, optional=True),
    "boolean": Type(Base.FLAG, optional=True),
    "texts": Type(Base.TEXTS, optional=True),
}


def attribute_fields(attributes: Attributes) -> Fields:
    """The declared attributes that rules see: those that are not sensitive."""
    declared = attributes.declared
    return {name: ATTRIBUTE_TYPES[declared[name].type] for name in sorted(attributes.public)}


def common_fields(event_types: tuple[str, ...]) -> Fields:
    """What every one of these event types has under the same name and type."""
    first, *others = (event_fields(name) for name in event_types)
    common = dict(first)
    for fields in others:
        common = {
            name: _either(found, fields[name])
            for name, found in common.items()
            if name in fields and fields[name].base == found.base
        }
    return common


@cache
def may_be_unset(event_type: str) -> bool:
    """Whether fields of this type can be UNSET, which counts as unknown."""
    data = get_type_hints(RULE_TYPES[event_type])["data"]
    return any(UnsetType in getattr(hint, "__args__", ()) for hint in get_type_hints(data).values())


def _either(one: Type, other: Type) -> Type:
    decimals = (
        None
        if one.decimals is None or other.decimals is None
        else max(one.decimals, other.decimals)
    )
    closed = one.choices and other.choices
    choices = tuple(dict.fromkeys(one.choices + other.choices)) if closed else ()
    code = one.code if one.code == other.code else ""
    return Type(one.base, one.optional or other.optional, decimals, choices, code)


def fields_of(struct: type[msgspec.Struct]) -> Fields:
    """What rules see of a struct."""
    return _fields(struct)[0]


def _fields(struct: type[msgspec.Struct]) -> tuple[Fields, frozenset[str]]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    fields, personal = {}, set()
    for found in info.fields:
        kind, optional, extra = _unwrap(found.type)
        optional = optional or found.default is msgspec.UNSET
        if extra.get(SENSITIVE):
            personal.add(found.name)
        elif type_ := _type(kind, optional, extra.get("decimals")):
            code = next((one for one in (COUNTRY, CURRENCY) if extra.get(one)), "")
            fields[found.name] = replace(type_, code=code) if code else type_
    return fields, frozenset(personal)


def _unwrap(kind: inspect.Type) -> tuple[inspect.Type, bool, dict[str, object]]:
    """A type without its metadata and without `None`, whether it had `None`, and the metadata."""
    extra: dict[str, object] = {}
    optional = False
    while True:
        if isinstance(kind, inspect.Metadata):
            extra |= kind.extra or {}
            kind = kind.type
        elif isinstance(kind, inspect.UnionType) and kind.includes_none:
            optional = True
            rest = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
            if len(rest) != 1:
                return kind, optional, extra
            kind = rest[0]
        else:
            return kind, optional, extra


DAY_PATTERN = r"^\d{4}-"


def _type(kind: inspect.Type, optional: bool, decimals: object) -> Type | None:
    match kind:
        case inspect.StrType(pattern=str() as pattern) if pattern.startswith(DAY_PATTERN):
            return Type(Base.DAY, optional)
        case inspect.StrType():
            return Type(Base.TEXT, optional)
        case inspect.LiteralType(values=values):
            return Type(Base.TEXT, optional, choices=tuple(map(str, values)))
        case inspect.DecimalType():
            return Type(Base.NUMBER, optional, decimals if isinstance(decimals, int) else None)
        case inspect.IntType():
            return Type(Base.NUMBER, optional)
        case inspect.BoolType():
            return Type(Base.FLAG, optional)
        case _:
            return None
