"""What is particular to windows and lists, as people say it."""

from dataclasses import replace

from streams.expressions.nodes import Aggregate, And, Arithmetic, Gathered, Node, Reading
from streams.expressions.write import length_text
from streams.rules.explain.naming import Names

_ALONE = "1 "
"""Left out: within the last day."""


def told_span(names: Names, one: Aggregate) -> str:
    """How far it looks back."""
    match one.months:
        case None:
            return names.say("span", told_length(names, one.length))
        case (0, 0):
            return names.say("this_month")
        case (-1, -1):
            return names.say("last_month")
        case (first, -1):
            return names.say("last_months", -first)
        case (first, 0):
            return names.say("months_until_now", names.phrases.quantity(-first, "months"))
        case (first, last) if first == last:
            return names.say("one_month", -first)
        case (first, last):
            return names.say("months", -first, -last)


def told_length(names: Names, millis: int) -> str:
    """As it stands behind “the last”."""
    return names.length(length_text(millis)).removeprefix(_ALONE)


def told_breaks(names: Names, one: Aggregate) -> str:
    """What breaks a streak: of its own types those that do not count."""
    told = [
        names.say("others", names.events([name])) if name in one.types else names.events([name])
        for name in one.without
    ]
    return names.say("without", names.phrases.listed(told, "or")) if told else ""


def share_of(node: Arithmetic) -> tuple[Reading | Gathered, Node] | None:
    """Of a quotient that is the share of what holds for some of it: the whole, and what has to
    hold."""
    part: Aggregate | Gathered
    whole: Aggregate | Gathered
    match node.operator, node.left, node.right:
        case "/", Reading(aggregate=part), Reading(aggregate=whole) as right:
            same = replace(part, where=whole.where, where_text=whole.where_text) == whole
        case "/", Gathered() as part, Gathered() as right:
            whole, same = right, replace(part, where=right.where) == right
        case _:
            return None
    if not same:
        return None
    if whole.where is None:
        return None if part.where is None else (right, part.where)
    match part.where:
        case And(parts=(of, where)) if where == whole.where:
            return right, of
    return None
