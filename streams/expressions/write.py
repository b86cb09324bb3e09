"""From typed nodes back to the text of the language, in one form: what `why` shows of a clause."""

from collections.abc import Sequence
from decimal import Decimal

from streams.durations import DAY_MS
from streams.expressions.lookups import NUMBERS
from streams.expressions.nodes import (
    Absolute,
    Aggregate,
    And,
    Arithmetic,
    Attribute,
    Base,
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
    Tags,
)

_UNITS = (
    (7 * DAY_MS, "w"),
    (DAY_MS, "d"),
    (3_600_000, "h"),
    (60_000, "m"),
    (1_000, "s"),
)
_OWNERS: dict[type[Node], str] = {
    ProfileField: "profile.",
    Attribute: "attributes.",
    ScoreField: "profile.scores.",
}
_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _ATOM = range(7)
"""How tightly parts hold together."""


def write(node: Node, steps: Sequence[str] = ()) -> str:
    """An expression as its author would write it; `steps` are the names of a sequence's steps."""
    return _Writer(steps).text(node)


def span_text(aggregate: Aggregate) -> str:
    """How far an aggregate looks back."""
    if aggregate.months is None:
        return length_text(aggregate.length)
    match aggregate.months:
        case (0, 0):
            return "this month"
        case (-1, -1):
            return "last month"
        case (first, -1):
            return f"last {-first} months"
        case (first, last):
            return f"months {first} to {last}"


def length_text(millis: int) -> str:
    """A length such as 30d, in the largest unit in which it is whole; weeks from two on."""
    for unit, letter in _UNITS:
        if not millis % unit and (letter != "w" or millis >= 2 * unit):
            return f"{millis // unit}{letter}"
    return f"{millis}ms"


class _Writer:
    def __init__(self, steps: Sequence[str]) -> None:
        self._steps = steps
        self._of_event = ""
        """What stands before the event's own fields."""

    def text(self, node: Node, around: int = _OR) -> str:
        written, holds = self._written(node)
        return f"({written})" if holds < around else written

    def _written(self, node: Node) -> tuple[str, int]:
        match node:
            case Or():
                found = " or ".join(self.text(part, _OR) for part in node.parts), _OR
            case And():
                found = " and ".join(self.text(part, _AND) for part in node.parts), _AND
            case Not(part=Holds(part=part)) | Not(part=part):
                found = f"not {self.text(part, _COMPARE)}", _NOT
            case Holds():
                found = self._written(node.part)
            case Compare() | OneOf() | HasTag() | HasText():
                found = self._compared(node), _COMPARE
            case Arithmetic():
                found = self._arithmetic(node)
            case Known() | Default() | Absolute() | Rounded() | FactField() | Days():
                found = self._call(node), _ATOM
            case _:
                found = self._name(node), _ATOM
        return found

    def _compared(self, node: Compare | OneOf | HasTag | HasText) -> str:
        match node:
            case Compare():
                left, right = self.text(node.left, _SUM), self.text(node.right, _SUM)
                return f"{left} {node.operator} {right}"
            case OneOf():
                options = ", ".join(self.text(one) for one in node.options)
                return f"{self.text(node.value, _SUM)} in [{options}]"
            case HasTag():
                return f"{self.text(node.value, _SUM)} in tags"
            case HasText():
                return f"{self.text(node.value, _SUM)} in {self.text(node.texts)}"

    def _arithmetic(self, node: Arithmetic) -> tuple[str, int]:
        if node.operator == "-" and isinstance(node.left, Literal) and node.left.value == 0:
            return f"-{self.text(node.right, _ATOM)}", _PRODUCT
        tight = _PRODUCT if node.operator in "*/" else _SUM
        # What stands right of - or / is taken as a whole.
        right = self.text(node.right, tight + 1)
        return f"{self.text(node.left, tight)} {node.operator} {right}", tight

    def _call(self, node: Known | Default | Absolute | Rounded | FactField | Days) -> str:
        if isinstance(node, FactField):
            called = f"{node.function}({self.text(node.key)})"
            return called if node.function in NUMBERS else f"{called}.{node.name}"
        part = self.text(node.part)
        match node:
            case Known():
                return f"known({part})"
            case Days():
                return f"{node.function}({part})"
            case Default():
                return f"default({part}, {self.text(node.otherwise)})"
            case Absolute():
                return f"abs({part})"
            case Rounded():
                return f"round({part}, {node.decimals})"

    def _name(self, node: Node) -> str:
        match node:
            case Literal():
                return _literal(node.value)
            case EventField():
                return self._of_event + node.name
            case ItemField() | Let() | Clock():
                return node.name
            case ProfileField() | Attribute() | ScoreField():
                return _OWNERS[type(node)] + node.name
            case StepField():
                return f"{self._steps[node.step]}.{node.name}"
            case Tags():
                return Base.TAGS.value
            case MonthEnd():
                return f"month_end({node.name}, {node.ago})"
            case Reading() | Gathered():
                return self._over(node)
        raise TypeError(f"{type(node).__name__} has no text")

    def _over(self, node: Reading | Gathered) -> str:
        return (
            self._gathered(node) if isinstance(node, Gathered) else self._aggregate(node.aggregate)
        )

    def _aggregate(self, one: Aggregate) -> str:
        given = [] if one.value is None else [self.text(one.value)]
        types = one.types[0] if len(one.types) == 1 else f"[{', '.join(one.types)}]"
        given += [types, span_text(one)]
        if one.where is not None:
            given.append(f"where={self.text(one.where)}")
        if one.without:
            given.append(f"without=[{', '.join(one.without)}]")
        if one.at_least:
            given.append(f"at_least={one.at_least}")
        if one.prior:
            given.append("prior=true")
        if one.prior_by:
            given.append(f"prior={length_text(one.prior_by)}")
        return f"{one.function}({', '.join(given)})"

    def _gathered(self, node: Gathered) -> str:
        self._of_event = "event."
        given = [] if node.value is None else [self.text(node.value)]
        given.append(node.list)
        if node.where is not None:
            given.append(f"where={self.text(node.where)}")
        self._of_event = ""
        return f"{node.function}({', '.join(given)})"


def _literal(value: int | Decimal | str | bool) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"' if "'" in value else f"'{value}'"
        case _:
            return f"{value:f}" if isinstance(value, Decimal) else str(value)
