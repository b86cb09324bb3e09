"""From typed nodes to the text of a Python expression.

Three-valued logic costs nothing at run time: a condition is written twice where needed, as "it is
true" and as "it is false", each a plain Python condition; `not` swaps the two, and "unknown" is
when neither holds. The names that the text uses:

    d  the event's data         b  the profile's basics    v_x  the let x
    r  the record               t  the profile's tags      a_x  the attribute x
    s  the profile's totals     q_0_x  the field x of      g_3  the aggregate number 3
    k_x  the score x                   step 0          l_x  the list x
    f  the facts that hold      at  the event's time       i  one thing of it
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Any

from streams.assets import worth
from streams.expressions import values
from streams.expressions.catalogue import TOTALS
from streams.expressions.days import CLOCKS, days_until
from streams.expressions.lists import MADE, listed
from streams.expressions.lookups import fact_reader
from streams.expressions.month_ends import month_end
from streams.expressions.nodes import (
    Absolute,
    Aggregate,
    And,
    Arithmetic,
    Attribute,
    Clock,
    Compare,
    Days,
    Default,
    EventField,
    FactField,
    Gathered,
    HasTag,
    HasText,
    Holds,
    ItemField,
    Known,
    Let,
    Literal,
    MonthEnd,
    Node,
    Not,
    OneOf,
    Or,
    ProfileField,
    Reading,
    Rounded,
    ScoreField,
    StepField,
)

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


class Writer:
    """Writes expressions as Python; keeps the constants that the text needs."""

    def __init__(self, number_of: Callable[[Aggregate], int], zone: tzinfo = UTC) -> None:
        self._number_of = number_of
        self._zone = zone
        self._temporaries = 0
        self.namespace: dict[str, Any] = {
            "abs": abs,
            "quotient": values.quotient,
            "product": values.product,
            "low": values.LOW,
            "high": values.HIGH,
            "rounded": values.rounded,
            "present": values.present,
            "points": values.score_points,
            "worth": worth,
            "listed": listed,
            "days_until": days_until,
            **CLOCKS,
            "month_end": month_end,
            "zone": zone,
            **{f"made_{function}": made for function, made in MADE.items()},
            "__builtins__": {},
        }

    def value(self, node: Node) -> str:
        """Python for a value, None where it is unknown."""
        match node:
            case Literal():
                text = self.constant(node.value)
            case EventField():
                text = f"present(d.{node.name})" if node.unset else f"d.{node.name}"
            case ProfileField(name=name) if name in TOTALS:
                text = f"s.{TOTALS[name]}"
            case ProfileField():
                text = f"b.{node.name}"
            case FactField():
                read = self.constant(fact_reader(node, self._zone))
                text = f"{read}(f, at, {self.value(node.key)})"
            case Attribute() | ScoreField() | ItemField() | StepField() | Let():
                text = _name(node)
            case Gathered():
                text = self._gathered(node)
            case Reading():
                text = f"g_{self._number_of(node.aggregate)}"
            case Clock():
                text = f"{node.name}(at, zone)"
            case MonthEnd():
                text = f"month_end(r, {node.name!r}, {node.ago}, at, zone)"
            case Arithmetic() | Absolute() | Rounded() | Days():
                text = self._number(node)
            case Default():
                name = self.temporary()
                known = f"({name} := {self.value(node.part)}) is not None"
                text = f"({name} if {known} else {self.value(node.otherwise)})"
            case _:
                text = self._flag(node)
        return text

    def attribute(self, node: Attribute | ScoreField) -> str:
        """Python for the value of a bank's own field, or of a score."""
        if isinstance(node, ScoreField):
            return f"points(r, {node.name!r})"
        read = self.constant(values.attribute_reader(node.type))
        return f"{read}(r.profile.attributes, {node.name!r})"

    def _gathered(self, node: Gathered) -> str:
        value = "1" if node.value is None else self.value(node.value)
        where = "" if node.where is None else f" if {self.true(node.where)}"
        return f"made_{node.function}([{value} for i in l_{node.list}{where}])"

    def _number(self, node: Arithmetic | Absolute | Rounded | Days) -> str:
        match node:
            case Arithmetic(operator="/"):
                return f"quotient({self.value(node.left)}, {self.value(node.right)})"
            case Arithmetic(operator="*") if node.type.decimals != 0:
                return f"product({self.value(node.left)}, {self.value(node.right)})"
            case Arithmetic():
                guards, (left, right) = self._known(node.left, node.right)
                # Numbers of one kind are compared much faster.
                whole = node.type.decimals == 0
                low, high = (-values.LIMIT, values.LIMIT) if whole else ("low", "high")
                name = self.temporary()
                within = f"{low} < ({name} := {left} {node.operator} {right}) < {high}"
                return _or_none([*guards, within], name)
            case Absolute():
                guards, (part,) = self._known(node.part)
                return _or_none(guards, f"abs({part})")
            case Days(function="days_since"):
                guards, (part,) = self._known(replace(node, function="days_until"))
                return _or_none(guards, f"-{part}")
            case Days():
                return f"days_until({self.value(node.part)}, at, zone)"
            case Rounded():
                return f"rounded({self.value(node.part)}, {node.decimals})"

    def _flag(self, node: Node) -> str:
        if not node.type.optional:
            return f"({self.true(node)})"
        return f"(True if {self.true(node)} else False if {self.false(node)} else None)"

    def true(self, node: Node) -> str:
        """A Python condition that holds when the node is true."""
        match node:
            case Not():
                return self.false(node.part)
            case Holds():
                return self.true(node.part)
            case And():
                return _join(" and ", map(self.true, node.parts))
            case Or():
                return _join(" or ", map(self.true, node.parts))
            case _:
                return self._atom(node, holds=True)

    def false(self, node: Node) -> str:
        """A Python condition that holds when the node is false (not when it is unknown)."""
        match node:
            case Not():
                return self.true(node.part)
            case Holds():
                return f"(not {self.true(node.part)})"
            case And():
                return _join(" or ", map(self.false, node.parts))
            case Or():
                return _join(" and ", map(self.false, node.parts))
            case _:
                return self._atom(node, holds=False)

    def _atom(self, node: Node, *, holds: bool) -> str:
        match node:
            case Compare():
                guards, (left, right) = self._known(node.left, node.right)
                operator = node.operator if holds else _OPPOSITE[node.operator]
                return _join(" and ", [*guards, f"{left} {operator} {right}"])
            case OneOf():
                guards, (value,) = self._known(node.value)
                options = self.constant(frozenset(one.value for one in node.options))
                return _join(" and ", [*guards, f"{value} {'in' if holds else 'not in'} {options}"])
            case HasTag():
                guards, (value,) = self._known(node.value)
                return _join(" and ", [*guards, f"{value} {'in' if holds else 'not in'} t"])
            case HasText():
                guards, (value, texts) = self._known(node.value, node.texts)
                return _join(" and ", [*guards, f"{value} {'in' if holds else 'not in'} {texts}"])
            case Known():
                return f"{self.value(node.part)} {'is not' if holds else 'is'} None"
            case _:
                return f"{self.value(node)} is {holds}"

    def _known(self, *nodes: Node) -> tuple[list[str], list[str]]:
        """Conditions that say these are known, and their values as text to use after those."""
        guards, texts = [], []
        for node in nodes:
            text = self.value(node)
            if node.type.optional:
                name = self.temporary()
                guards.append(f"({name} := {text}) is not None")
                text = name
            texts.append(text)
        return guards, texts

    def temporary(self) -> str:
        """A name that nothing else has."""
        self._temporaries += 1
        return f"x_{self._temporaries}"

    def constant(self, value: object) -> str:
        """The text that stands for a value."""
        if value is True or value is False or isinstance(value, int):
            return repr(value)
        name = f"c_{len(self.namespace)}"
        self.namespace[name] = value
        return name


def _name(node: Attribute | ScoreField | ItemField | StepField | Let) -> str:
    match node:
        case Attribute():
            return f"a_{node.name}"
        case ScoreField():
            return f"k_{node.name}"
        case ItemField():
            return f"i.{node.name}"
        case StepField():
            return f"q_{node.step}_{node.name}"
        case Let():
            return f"v_{node.name}"


def _join(word: str, conditions: Any) -> str:
    return f"({word.join(conditions)})"


def _or_none(guards: list[str], text: str) -> str:
    return f"({text} if {' and '.join(guards)} else None)" if guards else f"({text})"


MOST_TOGETHER = 100
"""Parts of one function: Python compiles it in one go, and nothing else runs meanwhile, not for
longer than some tens of milliseconds."""


def compile_function(source: str, namespace: dict[str, Any]) -> Callable[..., Any]:
    """Run the source of one function `made`, written by a Writer from checked nodes."""
    exec(compile(source, "<rule>", "exec"), namespace)  # noqa: S102  # our own text, see Writer
    made: Callable[..., Any] = namespace["made"]
    return made
