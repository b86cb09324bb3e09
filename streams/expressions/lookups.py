"""Reference data and organisation in expressions: rates, products, branches, teams, RMs.

What a fact says is unknown where there is none. Which facts there are is only known when an event
comes; which fields they have is checked at load.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import tzinfo
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, get_type_hints

from schemas.envelope import from_millis
from schemas.events.reference import FACT_TYPES
from streams.expressions.catalogue import Fields, fields_of
from streams.expressions.nodes import TEXT, Base, FactField, Literal
from streams.expressions.parse import nearest
from streams.facts import Facts

if TYPE_CHECKING:
    from streams.expressions.check import Checker

Read = Callable[[Facts, int, Any], Any]
"""Of what holds at an event's time (epoch milliseconds), what the fact of a name says."""

NUMBERS = {"rate": ("interest_rate", "rate"), "fx": ("exchange_rate", "rate")}
"""Functions that give one number: what it is a fact about, and which field."""
THINGS = {
    "product": "product",
    "newest_product": "product",
    "branch": "branch",
    "team": "team",
    "rm": "rm",
}
"""Functions that are asked for a field."""
FORMS = {
    "rate": "rate('mortgage')",
    "fx": "fx('USD')",
    "product": "product(product).risk_level",
    "newest_product": "newest_product('private-equity').title_en",
    "branch": "branch(branch).city",
    "team": "team('T1').lead",
    "rm": "rm(profile.rm).team",
}
_TITLES = {"title_en": "en", "title_zh": "zh"}
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_FOREVER = "9999-12-31"


@cache
def fact_fields(kind: str) -> Fields:
    """What rules see of a fact; all of it may be unknown. A title is a text for each language."""
    struct = get_type_hints(FACT_TYPES[f"{kind}.set"])["data"]
    fields = fields_of(struct)
    if "title" in struct.__struct_fields__:
        fields |= dict.fromkeys(_TITLES, TEXT)
    return {name: replace(found, optional=True) for name, found in fields.items()}


def check_number(checker: Checker, call: ast.Call, name: str) -> FactField:
    """Check `rate(…)` or `fx(…)`. Raises ExpressionError."""
    kind, field = NUMBERS[name]
    found = _field(checker, call, name, kind, field)
    written = found.key.value if isinstance(found.key, Literal) else None
    if name == "fx" and written is not None and not _CURRENCY.match(str(written)):
        raise checker.error(call.args[0], "a currency is three capital letters, as in fx('USD')")
    return found


def check_field(checker: Checker, tree: ast.Attribute, call: ast.Call, name: str) -> FactField:
    """Check `product(…).risk_level` and the like. Raises ExpressionError."""
    kind = THINGS[name]
    if tree.attr not in fact_fields(kind):
        message = f"{kind} has no field {tree.attr} that rules see"
        raise checker.error(tree, f"{message}{nearest(tree.attr, fact_fields(kind))}")
    return _field(checker, call, name, kind, tree.attr)


def _field(checker: Checker, call: ast.Call, function: str, kind: str, field: str) -> FactField:
    if checker.scope.inside:
        message = f"what holds for all customers is not seen inside {checker.scope.inside}"
        raise checker.error(call, message)
    if len(call.args) != 1 or call.keywords:
        raise checker.error(call, f"write it as {FORMS[function]}")
    key = checker.expect(call.args[0], Base.TEXT)
    return FactField(fact_fields(kind)[field], function, kind, key, field)


def _getter(name: str) -> Callable[[Any], Any]:
    if name not in _TITLES:
        return attrgetter(name)
    language = _TITLES[name]
    return lambda fact: fact.title.get(language)


def fact_reader(node: FactField, zone: tzinfo) -> Read:
    """How a fact's field is read; `zone` is the one of the days on which a product is offered."""
    kind, field = node.kind, _getter(node.name)
    if node.function == "newest_product":

        def read_newest(facts: Facts, at: int, product_class: Any) -> Any:
            day = from_millis(at).astimezone(zone).date().isoformat()
            for one in facts.products.get(product_class, ()):
                if (one.offered_from or "") <= day <= (one.offered_until or _FOREVER):
                    return field(one)
            return None

        return read_newest

    def read(facts: Facts, _at: int, key: Any) -> Any:
        fact = facts.kinds.get(kind, {}).get(key)
        return None if fact is None else field(fact)

    return read
