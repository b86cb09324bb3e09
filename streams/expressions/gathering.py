"""Functions over the lists of a record: their arguments, checked, and what they make."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from schemas.events import EVENT_TYPES
from streams.expressions.lists import LISTS
from streams.expressions.nodes import (
    FLAG,
    WHOLE,
    And,
    Arithmetic,
    Base,
    Gathered,
    ItemField,
    Node,
    Type,
    walk,
)
from streams.expressions.parse import Duration, EventType, Months, nearest

if TYPE_CHECKING:
    from streams.expressions.check import Checker

FORMS = {
    "any": "any(deposits, where=…)",
    "count": "count(deposits, where=…)",
    "sum": "sum(base_principal, deposits, where=…)",
    "avg": "avg(base_principal, deposits, where=…)",
    "min": "min(matures_on, deposits, where=…)",
    "max": "max(base_principal, deposits, where=…)",
    "distinct": "distinct(currency, accounts, where=…)",
    "share": "share(base_amount, holdings, of=risk_level >= 4, where=…)",
}
_NO_VALUE = ("any", "count")


def is_over_a_list(checker: Checker, call: ast.Call, name: str) -> bool:
    """Whether a call asks a list, or what was meant to be one; else it is over events."""
    if name == "any" or any(isinstance(one, ast.Name) and one.id in LISTS for one in call.args):
        return True
    values = 0 if name in _NO_VALUE else 1
    return name in FORMS and len(call.args) == values + 1 and _is_bare(checker, call.args[-1])


def _is_bare(checker: Checker, tree: ast.expr) -> bool:
    return isinstance(tree, ast.Name) and checker.parsed.token(tree) is None


def check_gathering(checker: Checker, call: ast.Call, name: str) -> Node:
    """Check a call over a list. Raises ExpressionError."""
    if name not in FORMS:
        known = ", ".join(FORMS)
        raise checker.error(call, f"{name} is of events; of a list there are {known}")
    if checker.scope.inside:
        raise checker.error(call, checker.scope.seen())
    if checker.scope.listed:
        message = "a list is not asked inside a list's condition: give it a name with let"
        raise checker.error(call, message)
    form = FORMS[name]
    least, most = (0, 0) if name in _NO_VALUE else (0 if name == "share" else 1, 1)
    if not least + 1 <= len(call.args) <= most + 1:
        for one in call.args:
            if isinstance(checker.parsed.token(one), Duration | Months):
                message = f"a list is what there is now and has no length; write it as {form}"
                raise checker.error(one, message)
        raise checker.error(call, f"write it as {form}")
    *value, tree = call.args
    listed = _list(checker, tree, form)
    inside = replace(checker, scope=replace(checker.scope, listed=listed))
    made = _value(inside, value[0], name) if value else None
    options = _options(inside, call, name)
    if name != "share":
        return Gathered(_result(name, made), name, listed, made, options.get("where"))
    if "of" not in options:
        raise checker.error(call, f"of what is it a share? Write it as {form}")
    return _share(listed, made, options["of"], options.get("where"))


def _list(checker: Checker, tree: ast.expr, form: str) -> str:
    if isinstance(tree, ast.Name) and tree.id in LISTS:
        return tree.id
    if isinstance(checker.parsed.token(tree), EventType):
        message = f"of events there is count(…) > 0; a list is asked as in {form}"
        raise checker.error(tree, message)
    text = checker.parsed.text(tree)
    hint = nearest(text, [*LISTS, *EVENT_TYPES])
    raise checker.error(tree, f"{text} is no list, and no event type{hint}")


def _value(inside: Checker, tree: ast.expr, name: str) -> Node:
    value = inside.node(tree)
    inside.varies(value, tree)
    of_list = LISTS[inside.scope.listed]
    for part in walk(value):
        if isinstance(part, ItemField) and part.name in of_list.where_only:
            message = f"{part.name} identifies a person: it is asked in where= and shown nowhere"
            raise inside.error(tree, message)
    allowed = {
        "distinct": (Base.TEXT, Base.NUMBER, Base.DAY),
        "min": (Base.NUMBER, Base.DAY),
        "max": (Base.NUMBER, Base.DAY),
    }.get(name, (Base.NUMBER,))
    if value.type.base not in allowed:
        expected = " or ".join(one.value for one in reversed(allowed))
        raise inside.error(tree, f"expected {expected}, found {value.type.base.value}")
    return value


def _options(inside: Checker, call: ast.Call, name: str) -> dict[str, Node]:
    given: dict[str, Node] = {}
    for keyword in call.keywords:
        known = ("where", "of") if name == "share" else ("where",)
        if keyword.arg is None or keyword.arg not in known:
            message = f"{keyword.arg} is not known here; write it as {FORMS[name]}"
            raise inside.error(keyword, message)
        if keyword.arg in given:
            raise inside.error(keyword, f"{keyword.arg} stands twice")
        given[keyword.arg] = inside.expect(keyword.value, Base.FLAG)
    return given


def _result(name: str, value: Node | None) -> Type:
    """A sum may be too large, and of nothing there is no least."""
    if name == "any":
        return FLAG
    if value is None or name == "distinct":
        return WHOLE
    if name == "avg":
        return Type(Base.NUMBER, True, None)
    return replace(value.type, optional=True, choices=())


def _share(listed: str, value: Node | None, of: Node, where: Node | None) -> Node:
    name = "count" if value is None else "sum"
    kind = _result(name, value)
    both = of if where is None else And(replace(FLAG, optional=True), (of, where))
    part, whole = (Gathered(kind, name, listed, value, one) for one in (both, where))
    return Arithmetic(Type(Base.NUMBER, True, None), "/", part, whole)
