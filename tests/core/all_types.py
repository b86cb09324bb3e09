"""Data of every event type, with few names, so that events meet in the record."""

from decimal import Decimal
from typing import Any, get_type_hints

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from schemas.attributes import AttributeDefinition
from schemas.events import EVENT_TYPES
from schemas.rule_parts import Text
from streams.attributes import Attributes

DAYS = ["2026-03-01", "2026-09-30", "2027-01-31"]
CURRENCIES = ["CNY", "USD"]
OTHERS = ["C900", "C901"]

amounts = st.sampled_from(["0", "1", "99.95", "12000", "12500", "250000.5"])


def data_of(event_type: str) -> st.SearchStrategy[dict[str, Any]]:
    """Data that the type's schema takes, of all its fields or only those it must have."""
    struct = get_type_hints(EVENT_TYPES[event_type])["data"]
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    required = {field.name: _value(field) for field in info.fields if field.required}
    optional = {field.name: _value(field) for field in info.fields if not field.required}
    drawn = st.fixed_dictionaries(required, optional=optional)
    return drawn.map(lambda data: _whole(struct, data))


def _whole(struct: type[msgspec.Struct], data: dict[str, Any]) -> dict[str, Any]:
    """An amount is told in the base currency, too: the fold alone reckons none."""
    for base, amount in (
        ("base_amount", "amount"),
        ("base_balance", "balance"),
        ("base_principal", "principal"),
    ):
        if base in struct.__struct_fields__ and amount in data:
            data[base] = data[amount]
    if data.get("cost") is not None and "currency" in data:
        data["base_cost"] = data["cost"]
    return data


def _value(field: inspect.Field) -> st.SearchStrategy[Any]:
    special = _BY_NAME.get(field.name)
    return special if special is not None else _of(field.name, field.type)


def _of(name: str, kind: inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.Metadata(type=inner):
            return _of(name, inner)
        case inspect.UnionType(types=types):
            real = [one for one in types if not isinstance(one, inspect.NoneType)]
            chosen = _of(name, real[0])
            return st.none() | chosen if kind.includes_none else chosen
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.DecimalType():
            return amounts
        case inspect.IntType():
            return st.integers(0, 9)
        case inspect.BoolType():
            return st.booleans()
        case inspect.StrType():
            return st.sampled_from([f"{name}-{n}" for n in range(3)])
        case _:
            raise AssertionError(f"no strategy for {name}: {kind}")


_BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "currency": st.sampled_from(CURRENCIES),
    "counterparty_country": st.sampled_from(["CN", "GB"]),
    "country": st.sampled_from(["CN", "GB"]),
    "category": st.sampled_from(["5812", "4511", "7011"]),
    "matures_on": st.sampled_from(DAYS),
    "due_on": st.sampled_from(DAYS),
    "temporary_until": st.sampled_from(DAYS),
    "opened_on": st.sampled_from(DAYS),
    "birthday": st.sampled_from(DAYS),
    "other": st.sampled_from(OTHERS),
    "rate": st.just("0.025"),
    "family": st.none()
    | st.lists(st.fixed_dictionaries({"relation": st.just("child")}), max_size=2),
    "consents": st.none()
    | st.dictionaries(
        st.sampled_from(["marketing", "service"]),
        st.dictionaries(st.sampled_from(["sms", "mail"]), st.booleans()),
        max_size=2,
    ),
    "attributes": st.fixed_dictionaries(
        {},
        optional={
            "x": st.sampled_from([None, 1, 2]),
            "y": st.sampled_from([None, "one", "two"]),
            "nobody_declared_it": st.just(3),
        },
    ),
}

DECLARED = Attributes(
    AttributeDefinition(name=name, type=kind, title=Text(en="A", zh="甲"), sensitive=False)
    for name, kind in (("x", "number"), ("y", "text"))
)

payloads = st.one_of(
    [data_of(name).map(lambda data, name=name: (name, data)) for name in EVENT_TYPES]  # type: ignore[misc]  # bound now
)
"""(Event type, data)."""


def decimal(text: Any) -> Decimal:
    return Decimal(str(text))
