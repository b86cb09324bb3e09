"""What to say of a name that is not seen where it stands: why, and what to write instead."""

import ast
import re
from collections.abc import Iterable

from streams.expressions.calls import EVENT_TYPES, NAMES
from streams.expressions.catalogue import (
    attribute_fields,
    common_fields,
    event_fields,
    personal_fields,
    profile_fields,
)
from streams.expressions.lists import LISTS
from streams.expressions.parse import nearest
from streams.expressions.scope import Scope
from streams.expressions.ways import INSTEAD, unseen


def name(scope: Scope, written: str, fields: Iterable[str]) -> str:
    """Of a name that stands alone; `fields` are the event's own."""
    types = scope.types
    if any(written in personal_fields(one) for one in types):
        return unseen(written, written)
    without = [one for one in types if written not in event_fields(one)]
    if len(without) < len(types):
        return f"{written} is not a field of {without[0]}, or of another type there"
    if written in scope.later:
        return f"{written} comes later: one of let sees those before it"
    if written in NAMES:
        return f"{written} is a function: {NAMES[written]}"
    if written in LISTS:
        return _a_list(written)
    return f"{written} is not known{_hint(scope, written, fields)}"


def _hint(scope: Scope, written: str, fields: Iterable[str]) -> str:
    """What may have been meant."""
    own = attribute_fields(scope.attributes)
    known = [*fields, *scope.lets, *_of_steps(scope)]
    if not scope.inside:
        if written in own:
            return f"; did you mean attributes.{written}?"
        if found := _in_profile(written.lower()):
            return found
        if written.lower() in INSTEAD:
            return f"; {INSTEAD[written.lower()]}"
        known += ["tags", *(f"profile.{one}" for one in profile_fields())]
        known += [f"attributes.{one}" for one in own]
    if found := nearest(written, known):
        return found
    if scope.inside:
        return f"; {scope.seen()}"
    listed = [one for one in LISTS if written in LISTS[one].fields]
    return f"; {' and '.join(listed)} have it: any({listed[0]}, where=…)" if listed else ""


def _in_profile(written: str) -> str:
    return f"; did you mean profile.{written}?" if written in profile_fields() else ""


def in_quotes(message: str, written: str, choices: Iterable[str]) -> str:
    """A message on a name that stands where a text may be, one of `choices` if there are any."""
    said = f"; a text stands in quotes, '{written}'"
    if written in choices:
        return f"{written} is not known{said}"
    is_near = message.endswith("?") or written.lower() in INSTEAD
    is_unknown = message.startswith(f"{written} is not known") and not is_near
    return message + said * is_unknown


def _a_list(written: str) -> str:
    return f"{written} is a list: ask it as in any({written}) or count({written}, where=…)"


def _of_steps(scope: Scope) -> list[str]:
    steps = scope.steps.items()
    return [f"{step}.{one}" for step, types in steps for one in common_fields(types)]


def part(scope: Scope, text: str, tree: ast.Attribute) -> str:
    """Of `owner.name`, whose owner is not known to have any."""
    owner = tree.value.id if isinstance(tree.value, ast.Name) else ""
    if owner in scope.lets or owner in common_fields(scope.types):
        return f"{text} is not known: {owner} has no parts"
    if owner in LISTS:
        return f"{owner} is a list: ask it as in any({owner}, where={tree.attr} == …)"
    if owner in ("score", "scores"):
        return f"{text} is not known; write profile.scores.{tree.attr}"
    if owner == "customer":
        return _of_customer(scope, tree.attr)
    known = [f"profile.{one}" for one in profile_fields()]
    known += [*EVENT_TYPES, *_of_steps(scope)]
    return f"{text} is not known{nearest(text, known)}"


def event_type(written: str, known: Iterable[str]) -> str:
    """Of what should be one."""
    several = re.findall(r"\w+\.\w+", written)
    if len(several) > 1:
        return f"{written} is no event type; several stand in a list, [{', '.join(several)}]"
    return f"{written} is no event type{nearest(written, known)}"


def _of_customer(scope: Scope, written: str) -> str:
    """Of `customer.x`."""
    if scope.inside:
        return f"customer.{written} is not known: {scope.seen()}"
    if found := _in_profile(written):
        return f"customer.{written} is not known{found}"
    return of_profile(scope, written)


def of_profile(scope: Scope, written: str) -> str:
    """Of `profile.x`."""
    if written in personal_fields("customer.updated"):
        return unseen(f"profile.{written}", written)
    if written in LISTS:
        return _a_list(written)
    hint = nearest(written, profile_fields())
    if not hint and written in attribute_fields(scope.attributes):
        hint = f"; did you mean attributes.{written}?"
    if not hint and written.lower() in INSTEAD:
        hint = f"; {INSTEAD[written.lower()]}"
    own = "; a field that the bank adds itself is an attribute, attributes.x"
    return f"profile.{written} is not known to rules{hint or own}"


def of_event(scope: Scope, written: str) -> str:
    """Of `event.x` where it does not stand in a list's condition."""
    match scope.inside:
        case "":
            return f"event.{written} stands in a list's condition alone; here write {written}"
        case "an answer":
            return f"what both events have alike is said beside where, as in same: {written}"
        case "a step":
            message = "the event that fires the rule comes later: compare it in if, as in"
            return f"{message} {written} == step.{written}"
    return (
        "a window is kept for all events alike, and not for what this one says; beside it compare "
        f"{written} == last({written}, …, prior=true), or with a step of a sequence, "
        f"{written} == step.{written}"
    )


def of_list(scope: Scope, written: str) -> str:
    """Of a name inside a list's condition."""
    listed, fields = scope.listed, LISTS[scope.listed].fields
    if written in common_fields(scope.types):
        return f"{written} is not a field of {listed}; that of the event is event.{written}"
    hint = "" if scope.inside else _in_profile(written)
    hint = hint or nearest(written, [*fields, *scope.lets])
    return f"{written} is not known of {listed}{hint or f'; {listed} have ' + ', '.join(fields)}"
